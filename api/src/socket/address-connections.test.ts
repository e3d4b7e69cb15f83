import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { AddressConnections } from './address-connections.ts';
import type { VisitorServer } from './visitor-socket.ts';

test('closes connections beyond the limit if several were admitted before the first was counted', () => {
  const engine = new EventEmitter();
  const addresses = new AddressConnections(2, 0);
  let refused = 0;
  addresses.watch({ engine } as unknown as VisitorServer, () => (refused += 1));
  const request = { headers: {}, socket: { remoteAddress: '203.0.113.7' } } as IncomingMessage;
  const connect = () => {
    const connection = Object.assign(new EventEmitter(), { request, isOpen: true, close: () => undefined as void });
    connection.close = () => {
      connection.isOpen = false;
      connection.emit('close');
    };
    engine.emit('connection', connection);
    return connection;
  };
  expect(addresses.isFull(request)).toBe(false);
  const burst = [connect(), connect(), connect(), connect()];
  expect(burst.map(({ isOpen }) => isOpen)).toEqual([true, true, false, false]);
  expect(refused).toBe(2);
  expect(addresses.isFull(request)).toBe(true);
  burst[0]!.close();
  expect(connect().isOpen).toBe(true);
});
