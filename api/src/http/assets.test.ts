import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { expect, onTestFinished, test } from 'vitest';
import { widgetFiles } from './assets.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../widget/package.json', import.meta.url), 'utf8')) as {
  version: string;
};

async function serve(): Promise<(path: string) => Promise<Response>> {
  const app = new Koa();
  app.use(widgetFiles());
  app.use((context) => {
    context.body = `nothing at ${context.url}`;
    context.status = 404;
  });
  const server = createServer((request, response) => void app.callback()(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return (path) => fetch(`http://127.0.0.1:${port}${path}`);
}

test('serves the files of this version under its number too, cached for a year', async () => {
  const get = await serve();
  for (const file of ['widget.js', 'passerby-chat.js', 'integrity.json']) {
    const [current, pinned] = [await get(`/${file}`), await get(`/widget/${version}/${file}`)];
    expect(pinned.status, file).toBe(200);
    expect(await pinned.text()).toBe(await current.text());
    expect(pinned.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(pinned.headers.get('access-control-allow-origin')).toBe('*');
    expect(current.headers.get('cache-control')).toMatch(/^public, max-age=300,/);
  }
});

test.each([
  `/widget/${version}0/widget.js`,
  '/widget/0.0.0/widget.js',
  `/widget/${version}/nothing.js`,
  `/widget/${version}/`,
  `/widget/${version}/../../package.json`,
  `/widget/${version}/%2e%2e/package.json`,
])('answers not_found for %s, with the requested address', async (path) => {
  const answer = await (await serve())(path);
  expect(answer.status).toBe(404);
  // `fetch` resolves these itself.
  if (!/\.\.|%2e/.test(path)) expect(await answer.text()).toBe(`nothing at ${path}`);
});
