import { IncomingMessage, ServerResponse } from 'node:http';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ORIGIN, SHOP, startTestApp, until } from '../harness.ts';
import { PollingVisitor } from './polling-visitor.ts';
import { head, RawConnection } from './raw-connection.ts';

const POLLING = `${SOCKET_PATH}?EIO=4&transport=polling&site=${SHOP.key}`;
const WEB_SOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  `Origin: ${ORIGIN}`,
];

describe('S29 request that no client of the service sends', () => {
  it('is refused if it requests JSONP, which decodes a body past its bound', async () => {
    await using app = await startTestApp();
    const headers = { Origin: ORIGIN };
    expect((await fetch(`${app.url}${POLLING}&j=0`, { headers })).status).toBe(403);
    await using visitor = await PollingVisitor.connect(app);
    const address = `${app.url}${POLLING}&sid=${visitor.sid}`;
    const post = (url: string) => fetch(url, { method: 'POST', headers, body: 'd=2' });
    expect((await post(`${address}&j=0`)).status).toBe(400);
    expect((await visitor.post('40{"version":1}')).status).toBe(200);
  });

  it('gets the unpacked form of a file for an Accept-Encoding that is too long to be read', async () => {
    await using app = await startTestApp();
    const codingFor = async (accepted: string) => {
      const response = await fetch(`${app.url}/passerby-chat.js`, { headers: { 'Accept-Encoding': accepted } });
      await response.body?.cancel();
      return response.headers.get('content-encoding');
    };
    expect(await codingFor('br')).toBe('br');
    expect(await codingFor(`${'a;q=0.1,'.repeat(1_500)}br`)).toBeNull();
  });

  it('is answered without an upgrade, if that is not to a WebSocket', async () => {
    await using app = await startTestApp();
    await using connection = await RawConnection.open(app);
    connection.write(head('GET /healthz', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: ']));
    await until(() => connection.received.includes('"status"'), 'it is answered');
    expect(connection.received).toContain('HTTP/1.1 200 ');
  });

  it('ends the connection if it upgrades to a WebSocket before the previous request was answered', async () => {
    await using app = await startTestApp();
    await using visitor = await PollingVisitor.connect(app);
    await using connection = await RawConnection.open(app);
    const socket = `${SOCKET_PATH}?EIO=4&transport=websocket&site=${SHOP.key}`;
    // The first one waits for something to tell.
    connection.write(
      head(`GET ${POLLING}&sid=${visitor.sid}`, [`Origin: ${ORIGIN}`]) + head(`GET ${socket}`, WEB_SOCKET),
    );
    await until(() => connection.isClosed, 'it is closed');
    expect(connection.received).not.toContain('101 Switching Protocols');
  });

  const SMALLEST = 'GET /healthz HTTP/1.1\r\nHost:x\r\n\r\n';
  it.each([
    ['comes in chunks', 400, head('POST /healthz', ['Transfer-Encoding: chunked']) + '1\r\nx\r\n'.repeat(5_000)],
    ['comes together with many others', null, SMALLEST.repeat(1_500)],
    [
      'expects what nobody knows, together with many others',
      400,
      head('GET /healthz', ['Expect: miracles']).repeat(900),
    ],
  ])('ends the connection if it %s, and reads nothing more', async (_, status, bytes) => {
    await using app = await startTestApp();
    const read = vi.spyOn(IncomingMessage.prototype, 'push');
    onTestFinished(() => read.mockRestore());
    const made = vi.spyOn(ServerResponse.prototype, 'assignSocket');
    onTestFinished(() => made.mockRestore());
    // Parsers are used again: more than there are at once.
    for (let count = 0; count < 5; count++) {
      await using connection = await RawConnection.open(app);
      const before = read.mock.calls.length + made.mock.calls.length;
      connection.write(bytes);
      await until(() => connection.isClosed, 'it is closed');
      if (status !== null) expect(connection.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(read.mock.calls.length + made.mock.calls.length - before).toBeLessThan(10);
      expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    }
  });
});
