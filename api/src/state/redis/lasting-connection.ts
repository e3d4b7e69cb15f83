import { Cluster, type Redis } from 'ioredis';
import { renewConnection } from './foreign-answer.ts';
import { storeFaultOf } from './store-fault.ts';

/**
 * Observes the outcome of every command. Reconnects a connection on which one missed its deadline and no other was
 * answered meanwhile: ioredis does not treat it as silent while anything still arrives, such as a reply byte by byte
 * over a path that is broken for this connection alone. Also prevents a crash by a rejected promise that ioredis drops,
 * such as that of `ASKING` before a command that follows a moved slot of a Cluster: the command itself rejects anyway.
 */
export function hearAnswers(connection: Redis): void {
  const sendCommand = connection.sendCommand.bind(connection);
  let answeredAt = -Infinity;
  connection.sendCommand = (command, stream) => {
    const sentAt = performance.now();
    const answer = sendCommand(command, stream) as Promise<unknown>;
    answer.then(
      () => (answeredAt = performance.now()),
      (error: Error) => {
        if (storeFaultOf(error) !== 'TIMEOUT') answeredAt = performance.now();
        // What is under way only learns that it was closed.
        else if (answeredAt < sentAt && renewConnection(connection)) connection.emit('error', error);
      },
    );
    return answer;
  };
}

/** Interval at which a connection is checked for still trying to connect. Milliseconds. */
const LOOK_MS = 1_000;
/** Number of checks that may find a connection given up, or a Cluster in transition, before it is reconnected. */
const LOOKS_MAX = { givenUp: 2, onItsWay: 10 } as const;

/**
 * Reconnects a connection for which ioredis has stopped trying although nobody closed it: a `disconnect(true)` during a
 * Sentinel query ends in `end`, and a Cluster whose last node closes late stays in `disconnecting` or `close`.
 */
export function keepConnecting(client: Redis | Cluster): void {
  let [status, looks] = ['', 0];
  const timer = setInterval(() => {
    looks = client.status === status ? looks + 1 : 0;
    status = client.status;
    if (isGivenUp(client)) {
      // A failed attempt leaves it given up: the next look tries again, and its events have told the reason.
      if (looks >= LOOKS_MAX.givenUp) client.connect().catch(() => undefined);
    } else if (client instanceof Cluster && ['connecting', 'connect'].includes(status)) {
      if (looks >= LOOKS_MAX.onItsWay) client.disconnect(true);
    }
  }, LOOK_MS).unref();
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect = false) => {
    if (!reconnect) clearInterval(timer);
    disconnect(reconnect);
  };
}

function isGivenUp({ status }: Redis | Cluster): boolean {
  return status === 'end' || status === 'close' || status === 'disconnecting';
}

/**
 * Interval of pings on a subscription, which is idle by nature. Without a reply within `socketTimeout` it reconnects.
 * Milliseconds.
 */
const LISTENING_PING_MS = 2_000;

/**
 * Pings a connection to detect that it is dead. The outcome of the ping is ignored: the connection itself reports the
 * failure, and reconnects.
 */
export function keepAsking(client: Redis): void {
  const pings = setInterval(() => {
    if (client.status === 'ready') client.ping().catch(() => undefined);
  }, LISTENING_PING_MS).unref();
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect = false) => {
    if (!reconnect) clearInterval(pings);
    disconnect(reconnect);
  };
}
