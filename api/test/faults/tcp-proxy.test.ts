import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Targets } from './targets.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Echo server, and a client of it through a proxy. */
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

describe('TCP proxy', () => {
  test('passes data both ways, delayed on demand', async () => {
    await using on = await stage();
    on.proxy.delay(60);
    const at = performance.now();
    on.client.write('second');
    await until(() => on.replies.length === 2);
    expect(performance.now() - at).toBeGreaterThanOrEqual(110);
  });

  test('closes connections in order, and resets them with an error', async () => {
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

  test('drops replies while requests arrive, and then resets the connection', async () => {
    await using on = await stage();
    const end = closed(on.client);
    const lost = on.proxy.loseReplies(60);
    on.client.write('second');
    await lost;
    await end;
    expect(on.received.join('')).toBe('first second');
    expect(on.replies.join('')).toBe('first ');
  });

  test('drops replies and continues, as a faulty proxy does', async () => {
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

  test('refuses connections for a time', async () => {
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

  test('splits data into pieces, in order and without a gap', async () => {
    await using on = await stage();
    on.proxy.slice(3);
    on.received.length = 0;
    on.client.write('a sentence of some length');
    await until(() => on.replies.join('') === 'first a sentence of some length');
    expect(on.received.join('')).toBe('a sentence of some length');
    expect(on.received.length).toBeGreaterThan(1);
  });

  test('throttles data', async () => {
    await using on = await stage();
    on.proxy.throttle(10_000);
    const at = performance.now();
    on.client.write('x'.repeat(2_000));
    await until(() => on.replies.join('').length === 2_006);
    expect(performance.now() - at).toBeGreaterThanOrEqual(180);
  });

  test.each([
    ['half', 'first sec'],
    ['all', 'first second'],
  ] as const)('cuts only the connection on which the text passes, after %s of it', async (after, heard) => {
    await using on = await stage();
    const other = connect(on.proxy.port, '127.0.0.1');
    await until(() => on.proxy.lines.length === 2);
    on.proxy.whenPassing('second', after, (line) => line.reset());
    const end = closed(on.client);
    on.client.write('second');
    await end;
    expect(on.replies.join('')).toBe(heard);
    expect([on.proxy.lines.length, other.destroyed]).toEqual([1, false]);
    other.destroy();
  });

  test('hides the end of either side of a silent connection', async () => {
    await using on = await stage();
    on.proxy.goSilent();
    on.client.end();
    await closed(on.client);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(on.proxy.lines).toHaveLength(1);
  });

  test('connects in turns to the targets that accept, and to no removed one', async () => {
    const names: string[] = [];
    const listen = async (name: string) => {
      const server = createServer((socket) => {
        names.push(name);
        socket.destroy();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return { server, port: (server.address() as AddressInfo).port };
    };
    const [one, two, dead] = [await listen('one'), await listen('two'), await listen('dead')];
    dead.server.close();
    await once(dead.server, 'close');
    const targets = new Targets(one.port, dead.port, two.port);
    const proxy = await TcpProxy.start(targets);
    const visit = async () => {
      const client = connect(proxy.port, '127.0.0.1');
      client.on('error', () => undefined);
      await closed(client);
    };
    for (let n = 0; n < 3; n++) await visit();
    expect(names).toEqual(['one', 'two', 'two']);
    targets.remove(two.port);
    await visit();
    targets.remove(one.port);
    await visit();
    targets.add(two.port);
    await visit();
    expect(names.slice(3)).toEqual(['one', 'two']);
    await proxy.stop();
    for (const { server } of [one, two]) server.close();
  });
});
