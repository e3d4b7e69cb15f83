import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from './config.ts';
import { systemClock, type Clock } from './clock.ts';
import { Lifecycle } from './conversation/lifecycle.ts';
import { Relay } from './conversation/relay.ts';
import { createHttpApp } from './http/server.ts';
import { Matchmaker } from './match/matchmaker.ts';
import { errorFields, type Log } from './observability/log.ts';
import { Tally } from './observability/tally.ts';
import { Online } from './session/online.ts';
import { Sessions } from './session/sessions.ts';
import type { SiteDirectory } from './sites/site-directory.ts';
import { RequestDoor, type RequestHandlers } from './socket/request-door.ts';
import { createSocketServer } from './socket/server.ts';
import { SocketPush } from './socket/socket-push.ts';
import { randomIds } from './state/ids.ts';
import { MemoryStore } from './state/memory/memory-store.ts';
import type { Notice } from './state/state-store.ts';

/** How often what is due is looked for: lapsed grace, silent conversations, a changed online count. Milliseconds. */
const ROUND_MS = 1_000;
/** Sessions closed in one round at most, so that a round stays short. */
const SWEEP_MAX = 1_000;
/** Over how long clients spread their reconnects when this node goes. Milliseconds. */
const DRAIN_SPREAD_MS = 3_000;
/** After this the node goes whoever is still connected. Milliseconds. */
const DRAIN_MAX_MS = 8_000;

export interface AppParts {
  readonly config: Pick<Config, 'HOST' | 'PORT'>;
  readonly sites: SiteDirectory;
  readonly log: Log;
  readonly clock?: Clock;
  /** Milliseconds between two looks at what is due. */
  readonly roundMs?: number;
  /** Replaces handlers, so that a test can make one throw. */
  readonly handlers?: Partial<RequestHandlers>;
}

/** A running service. */
export interface App {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly store: MemoryStore;
  readonly tally: Tally;
  /** What this node holds for visitors; all zero when nobody is there. */
  held(): { sockets: number; seats: number };
  /** Stops taking visitors, tells those here to go elsewhere, and stops when they have gone or the time is up. */
  drain(): Promise<void>;
  /** Stops at once. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Puts the service together and starts it: the one place that constructs things. */
export async function startApp(parts: AppParts): Promise<App> {
  const { config, sites, log, clock = systemClock } = parts;
  let isDraining = false;
  const tally = new Tally();
  const store = new MemoryStore(clock, randomIds);
  const push = new SocketPush();
  const relay = new Relay(push, clock);
  const lifecycle = new Lifecycle(store, relay, push, sites);
  const tell = (notices: readonly Notice[]) => lifecycle.tell(notices);
  const matchmaker = new Matchmaker(store, tell);
  const online = new Online(store, push);
  const sessions = new Sessions({ store, relay, push, online, ids: randomIds, clock, nodeId: randomIds.node(), tell });
  const handlers: RequestHandlers = {
    'match:find': (session, payload) => matchmaker.find(session, payload),
    'match:cancel': (session) => matchmaker.cancel(session),
    'conversation:leave': (session, { conversationId, next }) => lifecycle.leave(session, conversationId, next),
    'conversation:block': (session, { conversationId }) => lifecycle.block(session, conversationId),
    'session:close': (session) => sessions.close(session),
    ...parts.handlers,
  };
  const door = new RequestDoor(handlers, (from, frame) => relay.pass(from, frame), log, tally);

  const answer = createHttpApp({ log, store: store.kind, isDraining: () => isDraining }).callback();
  const http = createServer((request, response) => void answer(request, response));
  const socketServer = createSocketServer(http, {
    sites,
    sessions,
    online,
    push,
    door,
    tell,
    log,
    isDraining: () => isDraining,
  });

  async function round(): Promise<void> {
    try {
      tell((await store.sweep(SWEEP_MAX)).notices);
      await lifecycle.endSilent();
      await online.tellChanges();
    } catch (thrown) {
      log.error({ error: errorFields(thrown) }, 'round failed');
    }
  }
  const rounds = setInterval(() => void round(), parts.roundMs ?? ROUND_MS);

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(config.PORT, config.HOST, () => {
      http.off('error', reject);
      resolve();
    });
  }).catch((error: unknown) => {
    clearInterval(rounds);
    throw error;
  });

  async function stop(): Promise<void> {
    clearInterval(rounds);
    http.closeAllConnections();
    await socketServer.close();
  }

  async function drain(): Promise<void> {
    isDraining = true;
    push.toAll('session:draining', { reconnectAfterMs: DRAIN_SPREAD_MS });
    const deadline = Date.now() + DRAIN_MAX_MS;
    while (socketServer.engine.clientsCount > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await stop();
  }

  return {
    url: addressOf(http.address() as AddressInfo),
    store,
    tally,
    held: () => ({ sockets: push.size, seats: relay.size }),
    drain,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
