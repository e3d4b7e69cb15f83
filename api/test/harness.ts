import type { SiteId } from '../src/domain/ids.ts';
import type { PushName, PushPayload, Reply, RequestName, RequestPayload, RequestReply } from '@passerby/sdk/protocol';
import { SOCKET_PATH, type ConversationId, type RequestId, type SiteKey } from '@passerby/sdk/protocol';
import { io, type Socket } from 'socket.io-client';
import { type App, type AppParts, startApp } from '../src/app.ts';
import { DEFAULT_GUARD, DEFAULT_POLICY } from '../src/sites/settings.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../src/matching/rules.ts';
import type { Log, LogFields } from '../src/observability/log.ts';
import { parseOriginRule } from '../src/sites/origin-rule.ts';
import { directoryOf } from '../src/sites/site-directory.ts';
import type { Site } from '../src/sites/site.ts';
import { MemoryStore } from '../src/state/memory/memory-store.ts';

export const ORIGIN = 'https://shop.example';

/** Site of the tests. */
export function siteOf(
  key: string,
  origins: readonly string[] = [ORIGIN],
  policy: Partial<Site['policy']> = {},
  match: MatchRules = DEFAULT_MATCH_RULES,
): Site & { readonly key: SiteKey } {
  return {
    key: key as SiteKey,
    keys: [key as SiteKey],
    id: `site_${key.replace(/^pk_(live|test)_/, '')}` as SiteId,
    mode: key.startsWith('pk_live_') ? 'live' : 'test',
    guard: DEFAULT_GUARD,
    name: key,
    origins: origins.map(parseOriginRule),
    match,
    policy: { ...DEFAULT_POLICY, ...policy },
  };
}

/** Rules by which anyone may meet anyone at once, repeatedly. */
export const FREE: MatchRules = {
  ...DEFAULT_MATCH_RULES,
  expansions: [{ afterMs: 0, reach: 'site', isInterestNeeded: false, isLanguageNeeded: false, isRepeatAllowed: true }],
};

export const SHOP = siteOf('pk_test_shop');

/** Log that is a list. */
export function listLog(): Log & { readonly lines: { level: string; fields: LogFields; message: string }[] } {
  const lines: { level: string; fields: LogFields; message: string }[] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message });
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

/** Moderation for tests without reports and bans. */
const NO_RECORDS: AppParts['records'] = {
  reports: {
    add: () => Promise.resolve({ isNew: true }),
    reportersOf: () => Promise.resolve(0),
    forget: () => Promise.resolve(),
  },
  bans: { add: () => Promise.resolve(), lastLift: () => Promise.resolve(null) },
};

export type TestAppParts = Partial<Omit<AppParts, 'config' | 'clock' | 'dates'>> & {
  /** Clock of both dates and durations. */
  readonly clock?: () => number;
  /** Clock of dates, if they differ from `clock`. */
  readonly dates?: () => number;
  readonly config?: Partial<AppParts['config']>;
  readonly siteList?: readonly Site[];
};

/** Whole service on a free loopback port. */
export function startTestApp({ siteList = [SHOP], config = {}, clock, ...rest }: TestAppParts = {}): Promise<App> {
  return startApp({
    config: { HOST: '127.0.0.1', PORT: 0, REDIS_URL: undefined, TRUSTED_HOPS: 0, RATE_LIMIT_FACTOR: 10_000, ...config },
    bans: { findBan: () => null },
    onAccessChange: () => () => undefined,
    records: NO_RECORDS,
    sites: directoryOf(siteList),
    log: listLog(),
    // A machine that runs tests is late, which is for the tests of that alone.
    load: { delayMs: () => 0 },
    roundMs: 20,
    ...(clock !== undefined && { dates: clock, clock }),
    ...rest,
  });
}

let requestCount = 0;
export const requestId = () => `request-${++requestCount}` as RequestId;

/** Timeout for an expected event. Milliseconds. */
const PATIENCE_MS = 60_000;

export interface VisitorOptions {
  readonly site?: string;
  readonly origin?: string | undefined;
  readonly transports?: ('websocket' | 'polling')[];
  readonly auth?: Record<string, unknown>;
  /** Acknowledges pushes that expect it; `false` is a client whose connection is lost before it could. */
  readonly doesConfirm?: boolean;
  /** Address in `X-Forwarded-For`, for a service that trusts a proxy. */
  readonly from?: string;
  /** True to connect at once; otherwise with `present`. */
  readonly autoConnect?: boolean;
}

/** Raw Socket.IO client that records all pushes, in order. */
export class Visitor {
  readonly socket: Socket;
  readonly told: { readonly name: string; readonly payload: unknown }[] = [];
  #seen = 0;

  constructor(app: Pick<App, 'url'>, options: VisitorOptions = {}) {
    const { site = SHOP.key, transports = ['websocket'], auth = {}, doesConfirm = true, autoConnect = true } = options;
    const origin = 'origin' in options ? options.origin : ORIGIN;
    this.socket = io(app.url, {
      path: SOCKET_PATH,
      forceNew: true,
      reconnection: false,
      autoConnect,
      transports,
      query: { site },
      auth: { version: 1, ...auth },
      extraHeaders: {
        ...(origin !== undefined && { Origin: origin }),
        ...(options.from !== undefined && { 'X-Forwarded-For': options.from }),
      },
    });
    this.socket.onAny((name: string, payload: unknown, confirm?: () => void) => {
      this.told.push({ name, payload });
      if (doesConfirm) confirm?.();
    });
  }

  /** Connects and waits for `session:ready`. */
  static async arrive(
    app: Pick<App, 'url'>,
    options?: VisitorOptions,
  ): Promise<Visitor & { ready: PushPayload<'session:ready'> }> {
    const visitor = new Visitor(app, options);
    return Object.assign(visitor, { ready: await visitor.becomeReady() });
  }

  /** Waits for `session:ready`; rejects if the connection fails or ends before. */
  becomeReady(): Promise<PushPayload<'session:ready'>> {
    const failed = new Promise<never>((_, reject) => {
      this.socket.once('connect_error', reject);
      this.socket.once('disconnect', (reason) => reject(new Error(`disconnected: ${reason}`)));
    });
    return Promise.race([this.next('session:ready'), failed]);
  }

  /** Opens a transport to the service without authenticating: `present` does. */
  static async standBy(app: App, options?: VisitorOptions): Promise<Visitor> {
    const visitor = new Visitor(app, { ...options, autoConnect: false });
    await new Promise<void>((resolve, reject) => {
      visitor.socket.io.open((failure) => (failure === undefined ? resolve() : reject(failure)));
    });
    return visitor;
  }

  /** Authenticates, in this turn of the event loop. */
  present(): void {
    this.socket.connect();
  }

  /** Returns the next push of that name, among those not taken yet, and skips what comes before it. */
  async next<Name extends PushName>(name: Name): Promise<PushPayload<Name>> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      while (this.#seen < this.told.length) {
        const push = this.told[this.#seen++]!;
        if (push.name === name) return push.payload as PushPayload<Name>;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error(`"${name}" did not come; told so far: ${this.told.map((push) => push.name).join(', ')}`);
  }

  /** Returns all pushes of this name, taken or not. */
  all<Name extends PushName>(name: Name): PushPayload<Name>[] {
    return this.told.filter((push) => push.name === name).map((push) => push.payload as PushPayload<Name>);
  }

  ask<Name extends RequestName>(name: Name, payload: RequestPayload<Name>): Promise<Reply<RequestReply<Name>>> {
    return this.send(name, payload) as Promise<Reply<RequestReply<Name>>>;
  }

  /** Sends anything under any name; resolves with the acknowledgement. */
  send(name: string, ...args: unknown[]): Promise<unknown> {
    return this.socket.timeout(PATIENCE_MS).emitWithAck(name, ...args);
  }

  find(criteria: Omit<RequestPayload<'match:find'>, 'requestId'> = {}) {
    return this.ask('match:find', { requestId: requestId(), ...criteria });
  }

  say(conversationId: ConversationId, seq: number, text: string): void {
    this.socket.emit('conversation:frame', { conversationId, run: 'run', seq, ack: 0, body: { kind: 'text', text } });
  }

  /** Breaks the connection without notice. */
  cut(): void {
    this.socket.io.engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.disconnect();
  }
}

/** Two visitors in one conversation. */
export async function pairOf(app: Pick<App, 'url'>, options?: VisitorOptions) {
  const a = await Visitor.arrive(app, options);
  const b = await Visitor.arrive(app, options);
  await a.find();
  await b.find();
  const { conversationId } = await a.next('conversation:started');
  await b.next('conversation:started');
  return {
    a,
    b,
    conversationId,
    [Symbol.asyncDispose]: async () => void (a.socket.disconnect(), b.socket.disconnect()),
  };
}

/** Waits until `isSo`, for effects without an event. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Sends a message each way and waits for it: the pair is healthy. */
export async function assertTalking(pair: Awaited<ReturnType<typeof pairOf>>, seq: number): Promise<void> {
  const { a, b, conversationId } = pair;
  a.say(conversationId, seq, `a${seq}`);
  b.say(conversationId, seq, `b${seq}`);
  for (const [hearer, text] of [
    [a, `b${seq}`],
    [b, `a${seq}`],
  ] as const) {
    const frame = await hearer.next('conversation:frame');
    if (frame.body['text'] !== text) throw new Error(`expected ${text}, got ${JSON.stringify(frame)}`);
  }
}

/** Returns the numbers of entries that a service in memory holds. */
export function sizesOf(app: App) {
  if (!(app.store instanceof MemoryStore)) throw new Error('this store is not in memory');
  return app.store.sizes();
}
