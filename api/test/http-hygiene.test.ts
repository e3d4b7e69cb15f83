import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import Router from '@koa/router';
import Koa from 'koa';
import { SOCKET_PATH, type Problem } from '@passerby/sdk/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../src/app.ts';
import { errorMiddleware } from '../src/http/error-middleware.ts';
import { BODY_MAX_BYTES, jsonBody } from '../src/http/json-body.ts';
import { sameSiteOnly } from '../src/http/same-site-only.ts';
import { Metrics } from '../src/observability/metrics.ts';
import { head, RawConnection } from './bounds/raw-connection.ts';
import { listLog, ORIGIN, siteOf, startTestApp, until, Visitor } from './harness.ts';

/** Returns the problem at the end of a raw answer. */
const problemIn = (received: string) => JSON.parse(received.slice(received.lastIndexOf('\r\n\r\n') + 4)) as Problem;

describe('input that is not a valid request is answered with a problem', () => {
  const SHORT = { headMs: 300, requestMs: 300, overdueCheckMs: 50 };

  test.each<[string, string, number, Problem['code']]>([
    ['no HTTP', 'hello there\r\n\r\n', 400, 'bad_request'],
    ['a head that never ends', 'GET /healthz HTTP/1.1\r\nX-Long: ', 408, 'request_too_slow'],
    ['a head too large', head('GET /healthz', [`X-Huge: ${'x'.repeat(20_000)}`]), 431, 'head_too_large'],
    ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad_request'],
    ['an expectation', head('GET /healthz', ['Expect: miracles']), 400, 'bad_request'],
    ['an upgrade elsewhere', head('GET /elsewhere', ['Connection: Upgrade', 'Upgrade: websocket']), 404, 'not_found'],
    ['two lengths', head('POST /healthz', ['Content-Length: 1', 'Content-Length: 2']), 400, 'bad_request'],
  ])('%s', async (_, bytes, status, code) => {
    await using app = await startTestApp({ bounds: SHORT });
    await using connection = await RawConnection.open(app);
    connection.write(bytes);
    await until(() => connection.isClosed, 'it is closed');
    expect(connection.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .+\r\n`));
    expect(connection.received).toContain('Content-Type: application/problem+json');
    const problem = problemIn(connection.received);
    expect(problem).toMatchObject({ type: 'about:blank', status, code });
    expect(connection.received).toContain(`X-Request-Id: ${problem.instance.split(':').at(-1)}`);
    expect(app.metrics.countOf('passerby_refusals_total', { door: 'http', code })).toBe(1);
  });
});

test('every answer has a new request id, whatever id the client sent', async () => {
  await using app = await startTestApp();
  const names = new Set<string>();
  for (const path of ['/healthz', '/widget.js', '/nothing', '/v1/site']) {
    const answer = await fetch(`${app.url}${path}`, { headers: { 'X-Request-Id': 'req_mine' } });
    const name = answer.headers.get('x-request-id')!;
    expect(name).toMatch(/^req_[A-Za-z0-9_-]{16}$/);
    const body = await answer.text();
    if (!answer.ok) expect(JSON.parse(body)).toMatchObject({ instance: `urn:passerby:request:${name}` });
    names.add(name);
  }
  expect(names.size).toBe(4);
});

test('a failure on a socket has the same id in the answer and in the log', async () => {
  const log = listLog();
  const handlers = { 'match:cancel': () => Promise.reject(new Error('bug')) };
  await using app = await startTestApp({ log, handlers });
  await using visitor = await Visitor.arrive(app);
  const reply = (await visitor.send('match:cancel', {})) as { error: { instance: string } };
  expect(reply.error.instance).toMatch(/^urn:passerby:request:req_[A-Za-z0-9_-]{16}$/);
  expect(log.lines).toMatchObject([
    { fields: { requestId: reply.error.instance.split(':').at(-1), code: 'internal' } },
  ]);
});

test('no answer of any entry point sets a cookie', async () => {
  await using app = await startTestApp({
    config: { METRICS_TOKEN: 'a-token-of-the-operators', SECURITY_CONTACT: 'mailto:a@b.example' },
  });
  const paths = app.routes.map((route) => route.split(' ')[1]!);
  for (const path of [
    ...paths,
    '/',
    '/widget.js',
    '/nothing',
    `${SOCKET_PATH}?EIO=4&transport=polling&site=pk_test_shop`,
  ]) {
    for (const headers of [{}, { Origin: ORIGIN }]) {
      const answer = await fetch(`${app.url}${path}`, { headers });
      expect(answer.headers.getSetCookie(), path).toEqual([]);
    }
  }
  await using connection = await RawConnection.upgraded(app);
  expect(connection.received).toMatch(/^HTTP\/1\.1 101 /);
  expect(connection.received).not.toMatch(/set-cookie/i);
});

test('S15 every answer excludes other origins, except files of the widget', async () => {
  await using app = await startTestApp();
  for (const path of ['/', '/healthz', '/readyz', '/nothing', '/v1/site']) {
    const { headers } = await fetch(`${app.url}${path}`);
    expect(Object.fromEntries(headers), path).toMatchObject({
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'permissions-policy': expect.stringContaining('camera=()'),
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'content-security-policy': expect.stringContaining("frame-ancestors 'self'"),
    });
  }
  const widget = await fetch(`${app.url}/widget.js`);
  expect(widget.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
});

describe('/readyz', () => {
  test('is ready, with an answer that must not be cached', async () => {
    await using app = await startTestApp();
    const answer = await fetch(`${app.url}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ready', reasons: [] }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('is not ready while it is overloaded, or may not know current bans', async () => {
    await using app = await startTestApp({ load: { delayMs: () => 1_000 }, recordsStaleSince: () => -Infinity });
    const answer = await fetch(`${app.url}/readyz`);
    expect(await answer.json()).toEqual({ status: 'not_ready', reasons: ['records_stale', 'overloaded'] });
  });

  test('is not ready while draining', async () => {
    const app = await startTestApp();
    await using visitor = await Visitor.arrive(app);
    const drained = app.drain();
    await visitor.next('session:draining');
    const answer = await fetch(`${app.url}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([503, { status: 'not_ready', reasons: ['draining'] }]);
    visitor.socket.disconnect();
    await drained;
  });
});

describe('/.well-known/security.txt', () => {
  test('does not exist without a contact', async () => {
    await using app = await startTestApp();
    const answer = await fetch(`${app.url}/.well-known/security.txt`);
    expect(await answer.json()).toMatchObject({ status: 404, code: 'not_found' });
  });

  test('contains contact, canonical address and expiry, less than a year ahead', async () => {
    const now = Date.UTC(2026, 10, 22);
    await using app = await startTestApp({
      clock: () => now,
      config: { SECURITY_CONTACT: 'mailto:security@chat.example', PUBLIC_URL: 'https://chat.example' },
    });
    const answer = await fetch(`${app.url}/.well-known/security.txt`);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect((await answer.text()).trim().split('\n')).toEqual([
      'Contact: mailto:security@chat.example',
      'Expires: 2027-05-21T00:00:00.000Z',
      'Preferred-Languages: en',
      'Canonical: https://chat.example/.well-known/security.txt',
    ]);
  });
});

describe('/v1/site', () => {
  const siteList = [
    siteOf('pk_live_shop'),
    siteOf('pk_live_other', ['https://other.example']),
    siteOf('pk_live_off', []),
  ];
  const ask = (app: App, query: string, headers: Record<string, string>, method = 'GET') =>
    fetch(`${app.url}/v1/site${query}`, { method, headers });

  test('returns the policy to a page of an allowed origin', async () => {
    await using app = await startTestApp({ siteList });
    const answer = await ask(app, '?site=pk_live_shop', { Origin: ORIGIN });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(answer.headers.get('vary')).toBe('Origin');
    expect(await answer.json()).toEqual({ mode: 'live', policy: siteList[0]!.policy });
  });

  test('answers a preflight of an allowed origin', async () => {
    await using app = await startTestApp({ siteList });
    const preflight = { Origin: ORIGIN, 'Access-Control-Request-Method': 'GET' };
    const answer = await ask(app, '?site=pk_live_shop', preflight, 'OPTIONS');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET');
  });

  test.each(['GET', 'HEAD', 'OPTIONS'])('gives one answer to %s, whatever the reason', async (method) => {
    await using app = await startTestApp({ siteList });
    const refusals = await Promise.all(
      REASONS.map(async ([, query, headers]) => {
        const answer = await ask(app, query, headers, method);
        const constant = (text: string) => text.replaceAll(/req_[A-Za-z0-9_-]{16}/g, 'req_');
        const told = [...answer.headers]
          .filter(([name]) => name !== 'date')
          .map(([name, value]) => `${name}: ${value}`);
        return JSON.stringify([answer.status, told.map(constant), constant(await answer.text())]);
      }),
    );
    expect(new Set(refusals).size).toBe(1);
    expect(refusals[0]).toMatch(/^\[403,/);
    expect(refusals[0]).toContain('vary: Origin');
    expect(refusals[0]).not.toContain('access-control-allow-origin');
  });

  test('S21 gives one answer on both transports, whatever the reason', async () => {
    await using app = await startTestApp({ siteList });
    const polled = REASONS.map(async ([, query, headers]) => {
      const url = `${app.url}${SOCKET_PATH}${query}&EIO=4&transport=polling`;
      const answer = await fetch(url, { headers });
      return JSON.stringify([answer.status, await answer.text()]);
    });
    expect(new Set(await Promise.all(polled))).toEqual(
      new Set(['[403,"{\\"code\\":4,\\"message\\":\\"origin_refused\\"}"]']),
    );
    const upgraded = REASONS.map(async ([, query, headers]) => {
      await using connection = await RawConnection.open(app);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      connection.write(
        head(`GET ${SOCKET_PATH}${query}&EIO=4&transport=websocket`, [
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          ...lines,
        ]),
      );
      await until(() => connection.isClosed, 'it is closed');
      return connection.received;
    });
    const answers = new Set(await Promise.all(upgraded));
    expect(answers.size).toBe(1);
    expect([...answers][0]).toMatch(/origin_refused$/);
  });

  /** Parts of an answer that must not differ. */
  const REASONS: readonly (readonly [string, string, Record<string, string>])[] = [
    ['an unknown key', '?site=pk_live_nobody', { Origin: ORIGIN }],
    ['a wrong origin', '?site=pk_live_shop', { Origin: 'https://evil.example' }],
    ["another site's key", '?site=pk_live_other', { Origin: ORIGIN }],
    ['a site that nobody may embed', '?site=pk_live_off', { Origin: ORIGIN }],
    ['no origin', '?site=pk_live_shop', {}],
    ['what is no key', '?site=__proto__', { Origin: ORIGIN }],
    ['two keys', '?site=pk_live_shop&site=pk_live_shop', { Origin: ORIGIN }],
    ['no key', '?', { Origin: ORIGIN }],
  ];
});

/** Route that changes something, guarded like those of the administration. */
async function guardedRoute(): Promise<{ readonly url: string; readonly done: unknown[] }> {
  const done: unknown[] = [];
  const router = new Router();
  router.post('/change', sameSiteOnly(), jsonBody(), (context) => {
    done.push(context.request.body);
    context.body = { done: true };
  });
  const app = new Koa().use(errorMiddleware(listLog(), new Metrics())).use(router.routes());
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, done };
}

/** Sends a request by hand, since `fetch` sets headers that belong to browsers itself. */
function post(url: string, headers: Record<string, string>, body: string | Buffer = '{"a":1}') {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = request(`${url}/change`, { method: 'POST', headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body: text }));
    });
    sent.on('error', reject).end(body);
  });
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('S20 route that changes something', () => {
  test.each<[string, Record<string, string>]>([
    ['a program', {}],
    ['a page of the service itself', { 'Sec-Fetch-Site': 'same-origin' }],
    ['a person who typed the address', { 'Sec-Fetch-Site': 'none' }],
  ])('takes JSON from %s', async (_, headers) => {
    const { url, done } = await guardedRoute();
    const answer = await post(url, { ...JSON_TYPE, ...headers, Origin: url });
    expect([answer.status, done]).toEqual([200, [{ a: 1 }]]);
  });

  test.each<[string, Record<string, string>]>([
    ['a form of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    ['a form of a sibling', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://shop.chat.example' }],
    ['a form in a sandbox', { 'Sec-Fetch-Site': 'cross-site', Origin: 'null' }],
    ['an old browser, which sends an Origin only', { Origin: 'https://evil.example' }],
    ['an old browser in a sandbox', { Origin: 'null' }],
    ['a browser that hides the origin', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a look-alike of its own origin', { Origin: 'http://127.0.0.1.evil.example' }],
  ])('refuses %s, JSON or not', async (_, headers) => {
    const { url, done } = await guardedRoute();
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/json',
    ]) {
      const answer = await post(url, { ...headers, 'Content-Type': type }, 'a=1');
      expect(JSON.parse(answer.body)).toMatchObject({ status: 403, code: 'origin_refused' });
    }
    expect(done).toEqual([]);
  });

  test.each<[string, Record<string, string>, string | Buffer, number, Problem['code']]>([
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'a=1', 415, 'unsupported_media_type'],
    ['an empty form', { 'Content-Type': 'application/x-www-form-urlencoded' }, '', 415, 'unsupported_media_type'],
    ['JSON as plain text', { 'Content-Type': 'text/plain' }, '{"a":1}', 415, 'unsupported_media_type'],
    ['JSON without a type', {}, '{"a":1}', 415, 'unsupported_media_type'],
    [
      'JSON in another encoding',
      { 'Content-Type': 'application/json; charset=utf-7' },
      '{}',
      415,
      'unsupported_media_type',
    ],
    ['an unknown packing', { ...JSON_TYPE, 'Content-Encoding': 'rot13' }, '{}', 415, 'unsupported_media_type'],
    ['no JSON', JSON_TYPE, '{"a":', 400, 'bad_request'],
    ['JSON that is no object', JSON_TYPE, '"a"', 400, 'bad_request'],
    ['too much', JSON_TYPE, `{"a":"${'x'.repeat(BODY_MAX_BYTES)}"}`, 413, 'payload_too_large'],
    [
      'JSON that is packed',
      { ...JSON_TYPE, 'Content-Encoding': 'gzip' },
      gzipSync('{"a":1}'),
      415,
      'unsupported_media_type',
    ],
  ])('refuses %s', async (_, headers, body, status, code) => {
    const { url, done } = await guardedRoute();
    const answer = await post(url, headers, body);
    expect(JSON.parse(answer.body)).toMatchObject({ status, code });
    expect(done).toEqual([]);
  });
});
