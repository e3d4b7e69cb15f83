import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { describe, expect, it } from 'vitest';
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

describe('S29 a request that no client of the service sends', () => {
  it('is refused where it asks for JSONP, which decodes a body past its bound', async () => {
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

  it('is answered as if it asked for no upgrade, where that is not to a WebSocket', async () => {
    await using app = await startTestApp();
    await using connection = await RawConnection.open(app);
    connection.write(head('GET /healthz', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: ']));
    await until(() => connection.received.includes('"status"'), 'it is answered');
    expect(connection.received).toContain('HTTP/1.1 200 ');
  });

  it('ends the connection where it becomes a WebSocket before the request in front was answered', async () => {
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
});
