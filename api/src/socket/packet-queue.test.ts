import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { FairScheduler } from '../rate-limiting/fair-scheduler.ts';
import { queuePackets, type Connection } from './packet-queue.ts';

const BOUNDS = { packetsMax: 20, packetsMaxBytes: 1_000 };

/** Fake Engine.IO connection that only emits, with the events heard behind its queue. */
function queued({ turns = new FairScheduler(), bounds = BOUNDS, isWebSocket = true } = {}) {
  const heard: unknown[] = [];
  const webSocket = {
    isPaused: false,
    pause: () => void (webSocket.isPaused = true),
    resume: () => void (webSocket.isPaused = false),
  };
  const connection = Object.assign(new EventEmitter(), {
    transport: isWebSocket ? { socket: webSocket } : {},
    close: () => void heard.push('closed by this side'),
  });
  connection.on('data', (data) => void heard.push(data));
  connection.on('close', (reason) => void heard.push(`close: ${reason}`));
  connection.on('packet', () => void heard.push('packet'));
  let cuts = 0;
  queuePackets(connection as unknown as Connection, turns, bounds, () => {
    cuts += 1;
    connection.close();
  });
  const send = (...packets: unknown[]) => packets.forEach((packet) => connection.emit('data', packet));
  return { connection, heard, send, webSocket, cuts: () => cuts };
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};
const someTurns = async (count = 10) => {
  while (count-- > 0) await new Promise((resolve) => setImmediate(resolve));
};

describe('S29 packet queue', () => {
  it('passes one packet of a connection at once, and the rest in order in later turns', async () => {
    const { heard, send } = queued({ bounds: { packetsMax: 50, packetsMaxBytes: 1_000 } });
    const ids = Array.from({ length: 50 }, (_, id) => `${id}`);
    send(...ids);
    expect(heard).toEqual(['0']);
    await until(() => heard.length === 50);
    expect(heard).toEqual(ids);
  });

  it('passes binary and empty messages in their order, for the parser to refuse', async () => {
    const { heard, send } = queued();
    const packets = ['a', undefined, Buffer.of(1), 'b'];
    send(...packets);
    await until(() => heard.length === 4);
    expect(heard).toEqual(packets);
  });

  it('passes other packets at once', () => {
    const { connection, heard, send } = queued();
    send('a', 'b');
    connection.emit('packet');
    expect(heard).toEqual(['a', 'packet']);
  });

  it.each([
    ['packets', { packetsMax: 3, packetsMaxBytes: 1_000 }, 'x'],
    ['bytes', { packetsMax: 20, packetsMaxBytes: 30 }, 'ä'.repeat(5)],
  ])(
    'cuts a connection while more %s wait than it may send at once, and stops reading it',
    async (_, bounds, packet) => {
      const { heard, send, cuts } = queued({ bounds, isWebSocket: false });
      send(packet, packet, packet, packet);
      expect(cuts()).toBe(0);
      send(packet, packet);
      expect(cuts()).toBe(1);
      await someTurns();
      expect(heard).toEqual([packet, 'closed by this side']);
    },
  );

  it('does not count packets that were read already', async () => {
    const { heard, send, cuts } = queued({ bounds: { packetsMax: 3, packetsMaxBytes: 5 } });
    for (let round = 1; round <= 5; round++) {
      send('a', 'b', 'c', 'd');
      await until(() => heard.length === round * 4);
    }
    expect(cuts()).toBe(0);
  });

  it('pauses a WebSocket while its packets wait', async () => {
    const { heard, send, webSocket } = queued();
    send('a');
    expect(webSocket.isPaused).toBe(false);
    send('b', 'c');
    expect(webSocket.isPaused).toBe(true);
    await until(() => heard.length === 2);
    expect(webSocket.isPaused).toBe(true);
    await until(() => heard.length === 3);
    expect(webSocket.isPaused).toBe(false);
  });

  it('reports a close of the other end after all packets before it', async () => {
    const { connection, heard, send, webSocket } = queued();
    send('a', 'b', 'c');
    connection.emit('close', 'transport close');
    expect(webSocket.isPaused).toBe(false);
    await until(() => heard.length === 4);
    expect(heard).toEqual(['a', 'b', 'c', 'close: transport close']);
  });

  it('reports it in a later turn than the last packet, which is handled in microtasks', async () => {
    const { connection, heard } = queued();
    connection.removeAllListeners('data');
    connection.on('data', (data) => {
      process.nextTick(() => process.nextTick(() => heard.push(data)));
    });
    connection.emit('data', 'a');
    connection.emit('close', 'transport close');
    await until(() => heard.length === 2);
    expect(heard).toEqual(['a', 'close: transport close']);
  });

  it('reports the close of a connection without queued packets at once', async () => {
    const { connection, heard, send } = queued();
    send('a');
    await someTurns();
    connection.emit('close', 'transport close');
    expect(heard).toEqual(['a', 'close: transport close']);
  });

  it('reads nothing more once this side closes', async () => {
    const { connection, heard, send, webSocket } = queued();
    send('a', 'b', 'c');
    connection.close();
    expect(webSocket.isPaused).toBe(false);
    send('d');
    connection.emit('close', 'forced close');
    await someTurns();
    expect(heard).toEqual(['a', 'closed by this side', 'close: forced close']);
  });

  it('closes once when this side closes after the other one did', async () => {
    const { connection, heard, send } = queued();
    send('a', 'b');
    connection.emit('close', 'transport close');
    connection.close();
    await someTurns();
    expect(heard).toEqual(['a', 'closed by this side', 'close: transport close']);
  });
});
