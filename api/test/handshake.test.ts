import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { SiteKey } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import type { App } from '../src/app.ts';
import { ORIGIN, siteOf, sizesOf, startTestApp, until, Visitor } from './harness.ts';

/** Makes a long-polling handshake by hand: status, body and headers. */
function poll(app: App, query: string, headers: Record<string, string>) {
  return new Promise<{ status: number; body: string; headers: Record<string, unknown> }>((resolve, reject) => {
    const url = `${app.url}/socket.io/?EIO=4&transport=polling${query}`;
    httpRequest(url, { headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }));
    })
      .on('error', reject)
      .end();
  });
}

/** Makes a WebSocket upgrade by hand, byte for byte: the first line of the answer and the rest. */
function upgrade(app: App, query: string, originHeaders: readonly string[]) {
  return new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname, () => {
      const lines = [
        `GET /socket.io/?EIO=4&transport=websocket${query} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        ...originHeaders.map((origin) => `Origin: ${origin}`),
      ];
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    });
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString());
    });
    socket.once('error', reject);
  });
}

const REFUSED: readonly (readonly [string, string, readonly string[]])[] = [
  ['a foreign origin', '&site=pk_test_shop', ['https://evil.example']],
  ['a look-alike', '&site=pk_test_shop', [`${ORIGIN}.evil.com`]],
  ['another port', '&site=pk_test_shop', [`${ORIGIN}:8443`]],
  ['upper case', '&site=pk_test_shop', ['https://SHOP.example']],
  ['null', '&site=pk_test_shop', ['null']],
  ['no origin', '&site=pk_test_shop', []],
  ['two origins', '&site=pk_test_shop', [ORIGIN, 'https://evil.example']],
  ['an unknown site', '&site=pk_test_nobody', [ORIGIN]],
  ['the key of another site', '&site=pk_test_other', [ORIGIN]],
  ['a site with an empty list', '&site=pk_test_empty', [ORIGIN]],
  ['no site', '', [ORIGIN]],
  ['two sites', '&site=pk_test_shop&site=pk_test_other', [ORIGIN]],
];
const siteList = [
  siteOf('pk_test_shop'),
  siteOf('pk_test_other', ['https://other.example']),
  siteOf('pk_test_empty', []),
];

describe('S1 S21 handshake', () => {
  test.each(REFUSED)('refuses %s at long-polling, always in the same words', async (_, query, origins) => {
    await using app = await startTestApp({ siteList });
    const headers = origins.length > 0 ? { Origin: origins.join(', ') } : {};
    const answer = await poll(app, query, headers as Record<string, string>);
    expect(answer).toMatchObject({ status: 403, body: '{"code":4,"message":"origin_refused"}' });
  });

  test.each(REFUSED)('refuses %s at the WebSocket upgrade, always in the same words', async (_, query, origins) => {
    await using app = await startTestApp({ siteList });
    const answer = await upgrade(app, query, origins);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/origin_refused$/);
    expect(app.held().sockets).toBe(0);
  });

  test('lets the site in at both, without a cookie', async () => {
    await using app = await startTestApp({ siteList });
    const polled = await poll(app, '&site=pk_test_shop', { Origin: ORIGIN });
    expect(polled.status).toBe(200);
    expect(polled.headers['set-cookie']).toBeUndefined();
    expect(polled.headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(polled.headers['access-control-allow-credentials']).toBeUndefined();
    expect(await upgrade(app, '&site=pk_test_shop', [ORIGIN])).toMatch(/^HTTP\/1\.1 101 /);
  });

  test('a later request of a foreign page is refused, even with a stolen sid', async () => {
    await using app = await startTestApp({ siteList });
    const { body } = await poll(app, '&site=pk_test_shop', { Origin: ORIGIN });
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    for (const query of [
      `&site=pk_test_shop&sid=${sid}`,
      `&site=pk_test_shop&hidden=?&sid=${sid}`,
      `&site=pk_test_shop&s%69d=${sid}`,
    ]) {
      const answer = await poll(app, query, { Origin: 'https://evil.example' });
      expect(answer.status, query).toBe(400);
      expect(answer.body).not.toContain(sid);
    }
  });

  test.each(['websocket', 'polling'] as const)('a visitor arrives over %s', async (transport) => {
    await using app = await startTestApp({ siteList });
    await using visitor = await Visitor.arrive(app, { transports: [transport] });
    expect(visitor.ready).toMatchObject({ recovered: false, state: { status: 'idle' } });
    expect(visitor.told[0]!.name).toBe('session:ready');
  });

  test.each([
    ['an older version', { version: 0 }, 'client_too_old'],
    ['a newer version', { version: 99 }, 'server_too_old'],
    ['no version', { version: undefined }, 'bad_request'],
    ['a version that is no number', { version: '1' }, 'bad_request'],
    ['a resume token of the wrong form', { resume: 'stolen' }, 'bad_request'],
    ['a resume token that is an object', { resume: { toString: 'r_' } }, 'bad_request'],
  ])('%s is refused with a code', async (_, auth, code) => {
    await using app = await startTestApp();
    const visitor = new Visitor(app, { auth });
    const error = await new Promise<{ data?: unknown }>((resolve) =>
      visitor.socket.once('connect_error', resolve as never),
    );
    expect(error.data).toMatchObject({ code });
    expect(sizesOf(app).sessions).toBe(0);
  });

  test('a CONNECT to another namespace ends the connection', async () => {
    await using app = await startTestApp();
    const visitor = new Visitor(app, { autoConnect: false });
    const other = visitor.socket.io.socket('/admin', { auth: { version: 1 } });
    const error = await new Promise<Error>((resolve) => other.connect().once('connect_error', resolve));
    expect(error.message).toBe('Invalid namespace');
    await until(() => app.held().connections === 0, 'it is closed');
  });
});

describe('S28 stolen sid', () => {
  const HERS = 'https://hers.example';
  const shop = siteOf('pk_test_shop', [ORIGIN, 'https://www.shop.example']);
  const sites = [{ ...shop, keys: [...shop.keys, 'pk_test_shop_too' as SiteKey] }, siteOf('pk_test_hers', [HERS])];
  /** Origins from which a page may use a stolen `sid`; the visitor's own is `pk_test_shop` on `ORIGIN`. */
  const ELSEWHERE = [
    ['of another site', 'site=pk_test_hers', HERS],
    ['of another origin of the site', 'site=pk_test_shop', 'https://www.shop.example'],
    ['of another key of the site', 'site=pk_test_shop_too', ORIGIN],
  ] as const;

  const opened = async (app: App) => {
    const { body } = await poll(app, '&site=pk_test_shop', { Origin: ORIGIN });
    return (JSON.parse(body.slice(1)) as { sid: string }).sid;
  };

  test.each(ELSEWHERE)('is answered like an unknown one, to a page %s', async (_, query, origin) => {
    await using app = await startTestApp({ siteList: sites });
    const sid = await opened(app);
    const unknown = await poll(app, `&${query}&sid=nobodys-sid-at-all-x`, { Origin: origin });
    expect(unknown).toMatchObject({ status: 400, body: '{"code":1,"message":"Session ID unknown"}' });
    for (const stolen of [`&${query}&sid=${sid}`, `&${query}&sid=x&sid=${sid}`, `&${query}&s%69d=${sid}`]) {
      const { status, body } = await poll(app, stolen, { Origin: origin });
      expect({ status, body }, stolen).toEqual({ status: unknown.status, body: unknown.body });
    }
    expect(app.metrics.countOf('passerby_refusals_total', { door: 'handshake', code: 'origin_refused' })).toBe(3);
    expect(app.held().connections).toBe(1);
  });

  test.each(ELSEWHERE)('cannot be upgraded to a WebSocket by a page %s', async (_, query, origin) => {
    await using app = await startTestApp({ siteList: sites });
    const sid = await opened(app);
    const unknown = await upgrade(app, `&${query}&sid=nobodys-sid-at-all-x`, [origin]);
    expect(unknown).toMatch(/^HTTP\/1\.1 400 /);
    expect(await upgrade(app, `&${query}&sid=${sid}`, [origin])).toBe(unknown);
    expect(await upgrade(app, `&site=pk_test_shop&sid=${sid}`, [ORIGIN])).toMatch(/^HTTP\/1\.1 101 /);
  });
});
