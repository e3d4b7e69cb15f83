import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { TcpProxy } from './tcp-proxy.ts';

/** A server that answers with what it got, and a client of it through a proxy. */
async function stage() {
  const received: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received.push(String(chunk));
      socket.write(chunk);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await TcpProxy.start((server.address() as AddressInfo).port);
  const replies: string[] = [];
  const client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => undefined);
  client.on('data', (chunk) => replies.push(String(chunk)));
  await once(client, 'connect');
  client.write('first ');
  await until(() => replies.join('') === 'first ');
  const dispose = async () => {
    client.destroy();
    await proxy.stop();
    server.close();
  };
  return { proxy, client, received, replies, [Symbol.asyncDispose]: dispose };
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 3_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const closed = (client: Socket) => new Promise<boolean>((resolve) => client.once('close', resolve));

describe('the TCP proxy', () => {
  test('carries both ways, and later if told to', async () => {
    await using on = await stage();
    on.proxy.delay(60);
    const at = performance.now();
    on.client.write('second');
    await until(() => on.replies.length === 2);
    expect(performance.now() - at).toBeGreaterThanOrEqual(110);
  });

  test('cuts in order, and resets with an error', async () => {
    for (const [how, isError] of [
      ['cut', false],
      ['reset', true],
    ] as const) {
      await using on = await stage();
      const end = closed(on.client);
      on.proxy[how]();
      expect(await end).toBe(isError);
    }
  });

  test('loses replies while requests arrive, and then breaks the connection', async () => {
    await using on = await stage();
    const end = closed(on.client);
    const lost = on.proxy.loseReplies(60);
    on.client.write('second');
    await lost;
    await end;
    expect(on.received.join('')).toBe('first second');
    expect(on.replies.join('')).toBe('first ');
  });

  test('loses replies and goes on, as a faulty proxy does', async () => {
    await using on = await stage();
    const lost = on.proxy.loseReplies(60, { isBroken: false });
    on.client.write('second');
    await lost;
    on.client.write('third');
    await until(() => on.replies.join('') === 'first third');
  });

  test('goes silent without closing', async () => {
    await using on = await stage();
    let isClosed = false;
    on.client.once('close', () => (isClosed = true));
    on.proxy.goSilent();
    on.client.write('second');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([isClosed, on.received.join(''), on.replies.join('')]).toEqual([false, 'first ', 'first ']);
  });

  test('refuses for a time', async () => {
    await using on = await stage();
    const end = closed(on.client);
    const refused = on.proxy.refuse(60);
    await end;
    const late = connect(on.proxy.port, '127.0.0.1');
    late.on('error', () => undefined);
    await closed(late);
    await refused;
    const next = connect(on.proxy.port, '127.0.0.1');
    next.write('again');
    await until(() => on.received.join('') === 'first again');
    next.destroy();
  });
});
