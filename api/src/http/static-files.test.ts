import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import Koa from 'koa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Metrics } from '../observability/metrics.ts';
import { errorMiddleware } from './error-middleware.ts';
import { readStaticFiles, staticFiles, type ServedFile } from './static-files.ts';

const SOURCE = `console.log(${JSON.stringify('x'.repeat(500))});\n`;
const STORED = { br: brotliCompressSync(SOURCE), gzip: gzipSync(SOURCE), identity: Buffer.from(SOURCE) };
const HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Cache-Control': 'public, max-age=7',
};
/** Headers that a cache updates from a response, 304 included. */
const KEPT = [
  'access-control-allow-origin',
  'cross-origin-resource-policy',
  'cache-control',
  'vary',
  'etag',
  'accept-ranges',
];

function folderOfFiles(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'passerby-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, 'chat.js'), STORED.identity);
  writeFileSync(path.join(folder, 'chat.js.br'), STORED.br);
  writeFileSync(path.join(folder, 'chat.js.gz'), STORED.gzip);
  writeFileSync(path.join(folder, 'page.html'), '<!doctype html>');
  writeFileSync(path.join(folder, 'chat.d.ts'), 'export {};');
  return folder;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Serves the files of a folder; returns a function that requests them without `fetch`, which decodes bodies. */
async function serve(folder: string) {
  const served = new Map<string, ServedFile>();
  for (const [name, file] of readStaticFiles(folder)) served.set(`/${name}`, { file, headers: HEADERS });
  const app = new Koa();
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  app.use(errorMiddleware(silent, new Metrics())).use(staticFiles(served));
  const answer = app.callback();
  const server = createServer((incoming, response) => void answer(incoming, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return (target: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      request({ port, host: '127.0.0.1', path: target, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      })
        .on('error', reject)
        .end();
    });
}

const kept = ({ headers }: Answer) => KEPT.map((name) => `${name}: ${String(headers[name])}`);

describe('a static file', () => {
  it.each<[string | undefined, keyof typeof STORED]>([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.0, gzip;q=0', 'identity'],
    ['br;q=0', 'identity'],
    ['br;q=0.001', 'br'],
    ['*', 'br'],
    ['*;q=0', 'identity'],
    ['br;q=0, *', 'gzip'],
    ['identity', 'identity'],
    ['identity;q=0', 'identity'],
    ['identity;q=0, gzip', 'gzip'],
    ['identity;q=0, *', 'br'],
    ['gzip;q=1, *;q=0', 'gzip'],
    ['zstd', 'identity'],
    [',;q=,=;', 'identity'],
  ])('for Accept-Encoding %j is sent as %s', async (accepted, coding) => {
    const ask = await serve(folderOfFiles());
    const answer = await ask('/chat.js', accepted === undefined ? {} : { 'Accept-Encoding': accepted });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-encoding']).toBe(coding === 'identity' ? undefined : coding);
    expect(answer.body).toEqual(STORED[coding]);
    expect(answer.headers['content-length']).toBe(String(STORED[coding].length));
    expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.vary).toBe('Accept-Encoding');
  });

  it('has an entity tag of its own in each coding, made of the content alone', async () => {
    const [one, two] = [await serve(folderOfFiles()), await serve(folderOfFiles())];
    const tags = async (ask: typeof one) => {
      const answers = await Promise.all(
        ['br', 'gzip', 'identity'].map((coding) => ask('/chat.js', { 'Accept-Encoding': coding })),
      );
      return answers.map(({ headers }) => headers.etag);
    };
    expect(new Set(await tags(one)).size).toBe(3);
    expect(await tags(one)).toEqual(await tags(two));
  });

  it.each<[string, (tag: string) => string]>([
    ['the tag', (tag) => tag],
    ['the tag as a weak one', (tag) => `W/${tag}`],
    ['a list', (tag) => `"a", W/"b,c" ,${tag}`],
    ['any', () => '*'],
  ])('is 304 for %s, with what a cache keeps, and without a body', async (_, ifNoneMatch) => {
    const ask = await serve(folderOfFiles());
    for (const coding of ['br', 'identity']) {
      const whole = await ask('/chat.js', { 'Accept-Encoding': coding });
      const conditions = { 'Accept-Encoding': coding, 'If-None-Match': ifNoneMatch(whole.headers.etag!) };
      // What a reload adds, and a condition that If-None-Match replaces.
      const reload = { 'Cache-Control': 'no-cache', 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' };
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask('/chat.js', { ...conditions, ...reload }, method);
        expect([answer.status, answer.body.length]).toEqual([304, 0]);
        expect(kept(answer)).toEqual(kept(whole));
        expect(answer.headers['content-encoding']).toBeUndefined();
      }
    }
  });

  it.each(['"other"', 'W/"other"', 'nonsense', '"', ''])(
    'is sent with 200 for If-None-Match %j',
    async (ifNoneMatch) => {
      const ask = await serve(folderOfFiles());
      expect((await ask('/chat.js', { 'If-None-Match': ifNoneMatch })).status).toBe(200);
    },
  );

  it('is sent with 200 for the tag of another coding', async () => {
    const ask = await serve(folderOfFiles());
    const { headers } = await ask('/chat.js', { 'Accept-Encoding': 'gzip' });
    const answer = await ask('/chat.js', { 'Accept-Encoding': 'br', 'If-None-Match': headers.etag! });
    expect([answer.status, answer.headers['content-encoding']]).toEqual([200, 'br']);
  });

  it.each(['bytes=0-0', 'bytes=10-5', 'bytes=-5', 'bytes=5-', 'bytes=0-1,3-4', 'bytes=999999-', 'nonsense'])(
    'is sent completely for Range %s, without ranges',
    async (range) => {
      const ask = await serve(folderOfFiles());
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask('/chat.js', { Range: range }, method);
        expect(answer.status).toBe(200);
        expect(answer.headers['accept-ranges']).toBe('none');
        expect(answer.headers['content-length']).toBe(String(STORED.identity.length));
      }
    },
  );

  it('has the same headers for HEAD as for GET', async () => {
    const ask = await serve(folderOfFiles());
    const known = ({ headers: { date: _, 'x-request-id': __, ...rest } }: Answer) => rest;
    const head = await ask('/chat.js', { 'Accept-Encoding': 'br' }, 'HEAD');
    expect(known(head)).toEqual(known(await ask('/chat.js', { 'Accept-Encoding': 'br' })));
    expect(head.body.length).toBe(0);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('refuses %s, with the allowed methods', async (method) => {
    const answer = await (await serve(folderOfFiles()))('/chat.js', {}, method);
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'method_not_allowed' });
  });

  it.each(['/chat.js.br', '/chat.d.ts', '/other.js', '/chat.js/', '/../chat.js', '/__proto__', '/constructor'])(
    'is not found at %s',
    async (target) => {
      expect((await (await serve(folderOfFiles()))(target)).status).toBe(404);
    },
  );

  it('keeps its content, whatever happens to the folder', async () => {
    const folder = folderOfFiles();
    const ask = await serve(folder);
    writeFileSync(path.join(folder, 'chat.js'), 'changed');
    rmSync(folder, { recursive: true });
    for (const coding of ['br', 'gzip', 'identity'] as const) {
      const answer = await ask('/chat.js', { 'Accept-Encoding': coding });
      expect([answer.status, answer.body]).toEqual([200, STORED[coding]]);
    }
  });
});

describe('readStaticFiles', () => {
  it('explains what to do without files', () => {
    const folder = folderOfFiles();
    rmSync(folder, { recursive: true });
    expect(() => readStaticFiles(folder)).toThrow('run "npm run build" first');
  });
});
