import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Engine, keyActions } from './engine.ts';
import { Program } from './process.ts';

interface Answer {
  readonly id?: number;
  readonly type: 'success' | 'error' | 'event';
  readonly message?: string;
  readonly result?: Record<string, unknown>;
}

/** Debian's Firefox ESR without a window, driven by WebDriver BiDi: https://w3c.github.io/webdriver-bidi/ */
export async function startFirefox(): Promise<Engine> {
  await using started = new AsyncDisposableStack();
  const profile = await mkdtemp(path.join(tmpdir(), 'firefox-'));
  started.defer(() => rm(profile, { recursive: true, force: true }));
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
  const program = started.use(
    new Program('/usr/bin/firefox-esr', args, {
      env: { ...process.env, HOME: profile, MOZ_HEADLESS_WIDTH: '1000', MOZ_HEADLESS_HEIGHT: '800' },
    }),
  );
  const [, address] = await program.says(/WebDriver BiDi listening on (ws:\/\/\S+)/);

  const socket = new WebSocket(`${address}/session`);
  started.defer(() => socket.close());
  await once(socket, 'open');
  const waiting = new Map<number, (answer: Answer) => void>();
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    waiting.get(answer.id ?? -1)?.(answer);
  });
  let count = 0;
  const ask = async (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    const id = ++count;
    const answer = await new Promise<Answer>((resolve, reject) => {
      waiting.set(id, resolve);
      socket.addEventListener('close', () => reject(new Error(`${method}: the browser is gone`)), { once: true });
      socket.send(JSON.stringify({ id, method, params }));
    });
    waiting.delete(id);
    if (answer.type === 'error') throw new Error(`${method}: ${answer.message}`);
    return answer.result ?? {};
  };
  await ask('session.new', { capabilities: {} });
  // The first one is not in front, and keys do nothing to its buttons.
  const { context } = (await ask('browsingContext.create', { type: 'tab' })) as { context: string };
  await ask('browsingContext.activate', { context });

  const all = started.move();
  return {
    goto: async (url) => void (await ask('browsingContext.navigate', { context, url, wait: 'complete' })),
    reload: async () => void (await ask('browsingContext.reload', { context, wait: 'complete' })),
    back: async () => void (await ask('browsingContext.traverseHistory', { context, delta: -1 })),
    evaluate: async (expression) => {
      const evaluated = (await ask('script.evaluate', {
        expression: `(async () => JSON.stringify((await (${expression})) ?? null))()`,
        target: { context },
        awaitPromise: true,
      })) as { result?: { value: string }; exceptionDetails?: { text: string } };
      if (!evaluated.result) throw new Error(evaluated.exceptionDetails?.text);
      return JSON.parse(evaluated.result.value) as unknown;
    },
    press: async (...keys) => void (await ask('input.performActions', { context, actions: [keyActions(keys)] })),
    screenshot: async () =>
      Buffer.from((await ask('browsingContext.captureScreenshot', { context }))['data'] as string, 'base64'),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
