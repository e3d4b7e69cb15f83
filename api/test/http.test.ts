import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../src/app.ts';
import { startTestApp } from './harness.ts';

const widget = fileURLToPath(new URL('../../widget/dist/widget.js', import.meta.url));
let app: App;

beforeAll(async () => {
  if (!existsSync(widget)) throw new Error('the widget is not built: run npm run build first');
  app = await startTestApp();
});
afterAll(() => app.stop());

/** Sends a request by hand: `fetch` decodes bodies and normalises paths. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: Buffer }>(
    (resolve, reject) => {
      const { hostname, port } = new URL(app.url);
      request({ hostname, port, path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      })
        .on('error', reject)
        .end();
    },
  );
}

describe('HTTP', () => {
  test('reports its health and its store', async () => {
    const { status, headers, body } = await ask('/healthz');
    expect([status, JSON.parse(body.toString())]).toEqual([200, { status: 'ok', store: 'memory' }]);
    expect(headers['cache-control']).toBe('no-store');
  });

  test.each([
    ['an address there is not', 'GET', '/nothing', 404, 'not_found'],
    ['a method it does not take', 'POST', '/healthz', 405, 'method_not_allowed'],
    ['a way out of the folder', 'GET', '/../package.json', 404, 'not_found'],
    ['an encoded way out of the folder', 'GET', '/%2e%2e/package.json', 404, 'not_found'],
    ['a file that begins with a dot', 'GET', '/.env', 404, 'not_found'],
    ['a name that cannot be decoded', 'GET', '/%ff', 404, 'not_found'],
  ])('%s is answered with a problem', async (_, method, path, status, code) => {
    const answer = await ask(path, {}, method);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ type: 'about:blank', status, code });
  });

  test('serves the widget to any site, precompressed, with a short cache lifetime', async () => {
    const plain = await ask('/widget.js');
    expect(plain.headers).toMatchObject({
      'content-type': expect.stringMatching(/^text\/javascript/),
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=300, stale-while-revalidate=31536000',
      vary: 'Accept-Encoding',
    });
    const brotli = await ask('/widget.js', { 'Accept-Encoding': 'gzip, br' });
    expect(brotli.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(brotli.body)).toEqual(plain.body);
    const gzip = await ask('/widget.js', { 'Accept-Encoding': 'gzip' });
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(gzip.body)).toEqual(plain.body);
  });

  test('answers 304 to a current entity tag', async () => {
    const { headers } = await ask('/widget.js');
    expect((await ask('/widget.js', { 'If-None-Match': headers['etag'] as string })).status).toBe(304);
  });

  test('serves the demo page under a policy without inline code, and sets no cookie', async () => {
    const { status, headers } = await ask('/');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/html/);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['set-cookie']).toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
  });
});
