import { once } from 'node:events';
import { globSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type Engine, keyActions } from './engine.ts';
import { Program, startScreen } from './process.ts';

/** Debian's WebKitGTK in a window on a virtual screen, driven by WebDriver: https://www.w3.org/TR/webdriver2/ */
export async function startWebKit(): Promise<Engine> {
  await using started = new AsyncDisposableStack();
  const display = await startScreen(started);
  const port = await freePort();
  const program = started.use(
    new Program('/usr/bin/WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
      env: { ...process.env, DISPLAY: display, WEBKIT_DISABLE_COMPOSITING_MODE: '1' },
    }),
  );
  const driver = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${driver}/status`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (program.child.exitCode !== null) throw new Error(`WebKitWebDriver ended with ${program.child.exitCode}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  const ask = async (method: string, address: string, body?: object): Promise<unknown> => {
    const response = await fetch(driver + address, { method, ...(body && { body: JSON.stringify(body) }) });
    const { value } = (await response.json()) as { value: unknown };
    if (!response.ok) throw new Error(`${address}: ${JSON.stringify(value)}`);
    return value;
  };
  const [binary] = globSync('/usr/lib/*/webkit2gtk-4.1/MiniBrowser');
  const options = { binary, args: ['--automation'] };
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
  const { sessionId } = (await ask('POST', '/session', { capabilities })) as { sessionId: string };
  const session = `/session/${sessionId}`;
  started.defer(async () => void (await ask('DELETE', session)));

  const all = started.move();
  return {
    goto: async (url) => void (await ask('POST', `${session}/url`, { url })),
    reload: async () => void (await ask('POST', `${session}/refresh`, {})),
    back: async () => void (await ask('POST', `${session}/back`, {})),
    evaluate: async (expression) => {
      const script = `const done = arguments[0]; (async () => (await (${expression})) ?? null)().then(done, (e) => done(String(e)))`;
      return ask('POST', `${session}/execute/async`, { script, args: [] });
    },
    press: async (...keys) => void (await ask('POST', `${session}/actions`, { actions: [keyActions(keys)] })),
    screenshot: async () => Buffer.from((await ask('GET', `${session}/screenshot`)) as string, 'base64'),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
