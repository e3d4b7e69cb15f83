import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { type MaintenanceParts, startMaintenance } from './background/site-maintenance.ts';
import { memoryBackend, redisBackend } from './backend.ts';
import { type ConnectionLimits, CONNECTION_LIMITS } from './limits/connection-limits.ts';
import type { Config } from './config.ts';
import { type Clock, type MonotonicClock, monotonicClock, systemClock } from './clock.ts';
import { Heartbeat } from './cluster/heartbeat.ts';
import { NoticeDispatcher } from './sessions/notice-dispatcher.ts';
import { Relay } from './sessions/relay.ts';
import { listen } from './http/listen.ts';
import { answerOneAtATime, createHttpServer } from './http/http-server.ts';
import type { Operation } from './http/admin/operation.ts';
import { ProxyHints } from './http/proxy-hints.ts';
import { spreadRequests } from './http/spread-requests.ts';
import { createHttpApp, createMetricsApp, routesOf } from './http/http-app.ts';
import { SessionAdmission } from './admission/session-admission.ts';
import { EventLoopLoad, type Load, SHED_FROM_MS } from './rate-limiting/event-loop-load.ts';
import { FrameLimiter } from './rate-limiting/frame-limiter.ts';
import { RateLimiter } from './rate-limiting/rate-limiter.ts';
import { FairScheduler } from './rate-limiting/fair-scheduler.ts';
import { SessionRateLimiter } from './rate-limiting/session-rate-limiter.ts';
import { Matchmaker } from './sessions/matchmaker.ts';
import { WaitStatusNotifier } from './sessions/wait-status.ts';
import { errorFields, type Log } from './observability/log.ts';
import { Metrics } from './observability/metrics.ts';
import { observedStore } from './state/observed-store.ts';
import { ReadinessCheck } from './observability/readiness.ts';
import { StoreWatch } from './observability/store-standing.ts';
import { isLoopback } from './privacy/own-machine.ts';
import { readService } from './observability/service-readings.ts';
import { Tally } from './observability/tally.ts';
import { AddressHasher } from './privacy/address-hash.ts';
import type { BanList } from './moderation/bans.ts';
import { type BanRepository, AutoBans, type ReportCounts } from './moderation/auto-bans.ts';
import { VisitorAuthenticator } from './admission/visitor-authenticator.ts';
import { RequestAdmission } from './admission/request-admission.ts';
import { type OnSpam, SpamDetector } from './moderation/spam-detector.ts';
import { type ReportRepository, Reports } from './moderation/reports.ts';
import { type ReportRetention, forgetReports } from './moderation/report-retention.ts';
import { Salts } from './privacy/salts.ts';
import { AccessRevocation } from './sessions/access-revocation.ts';
import { clientAddress } from './privacy/client-address.ts';
import { DRAIN_MAX_MS } from './shutdown.ts';
import { OnlineCount } from './sessions/online-count.ts';
import { Reconciler } from './sessions/reconciler.ts';
import { Sessions } from './sessions/sessions.ts';
import type { SiteDirectory } from './sites/site-directory.ts';
import { RequestRouter } from './socket/request-router.ts';
import { conversationRequests } from './requests/conversation-requests.ts';
import { frameHandler } from './requests/frames.ts';
import { matchRequests } from './requests/match-requests.ts';
import type { RequestHandlers } from './requests/request-context.ts';
import { sessionRequests } from './requests/session-requests.ts';
import { createSocketServer } from './socket/server.ts';
import { SocketPush } from './socket/socket-push.ts';
import { randomIds } from './domain/id-source.ts';
import { RepairPace } from './state/repair-pace.ts';
import { SiteTurns } from './state/site-turns.ts';
import type { SiteId } from './domain/ids.ts';
import type { Notice } from './domain/notice.ts';
import type { SessionRef } from './domain/session.ts';
import { REPAIRED_KINDS } from './domain/repaired-kinds.ts';
import type { StateStore } from './state/state-store.ts';

/** Interval at which what is due is looked for: lapsed grace, silent conversations, a changed online count. Milliseconds. */
const ROUND_MS = 1_000;
/** Over how long clients spread their reconnects when this node goes: each takes a random part, so that most of this is filled. Milliseconds. */
const DRAIN_SPREAD_MS = 4_000;

export interface AppParts {
  readonly config: Pick<Config, 'HOST' | 'PORT' | 'REDIS_URL' | 'TRUSTED_HOPS' | 'RATE_LIMIT_FACTOR'> & Partial<Config>;
  readonly sites: SiteDirectory;
  /** Bans in force. */
  readonly bans: BanList;
  /** Calls back when a key is no longer good or a ban has come; returns the undo. */
  readonly onAccessChange: (changed: () => void) => () => void;
  /** Where reports and bans are kept. */
  readonly records: {
    readonly reports: ReportRepository & ReportCounts & ReportRetention;
    readonly bans: BanRepository;
  };
  /** Operations of the operators' API, if there is an `OPERATOR_TOKEN`. */
  readonly operations?: readonly Operation[];
  /** Since when the database does not answer, as `clock` tells it; `null` while it does. */
  readonly recordsStaleSince?: () => number | null;
  /** Rejects if the database takes no writes. */
  readonly probeRecords?: () => Promise<unknown>;
  readonly log: Log;
  /** Replaces what tells dates: the end of a ban, the expiry of a key. */
  readonly dates?: Clock;
  /** Replaces what durations are measured with. */
  readonly clock?: MonotonicClock;
  /** Milliseconds between two looks at what is due. */
  readonly roundMs?: number;
  /** Replaces bounds, so that a test need not wait for as long as a visitor may. */
  readonly bounds?: Partial<ConnectionLimits>;
  /** Replaces the look at this process's event loop. */
  readonly load?: Load;
  /** Replaces handlers, so that a test can make one throw. */
  readonly handlers?: Partial<RequestHandlers>;
}

/** Counts of what a node holds for visitors. */
export interface ResourceCounts {
  readonly connections: number;
  /** Connections that have a session. */
  readonly sockets: number;
  readonly rooms: number;
  readonly seats: number;
  /** Visitors who are told how their wait stands. */
  readonly waits: number;
  /** Sites that are looked after. */
  readonly sites: number;
  /** Sites whose visitors were told how many they are, or are about to be. */
  readonly counts: number;
}

/** A running service. */
export interface App {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly store: StateStore;
  /** Name of the state store, such as `memory` or `Redis 7.2.4`. */
  readonly storeName: string;
  readonly tally: Tally;
  readonly metrics: Metrics;
  /** Where the metrics have a port of their own; `null` where they have not. */
  readonly metricsUrl: string | null;
  /** Every HTTP route, such as `GET /healthz`, files apart. */
  readonly routes: readonly string[];
  /** Counts of what this node holds for visitors; all zero when nobody is there, the sites once the grace is over too. */
  held(): ResourceCounts;
  /** Stops taking visitors and tells those here to go elsewhere. Resolves when they have gone or the time is up. */
  empty(): Promise<void>;
  /** `empty`, then `stop`. */
  drain(): Promise<void>;
  /** Stops at once. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Puts the service together and starts it: the one place that constructs things. */
export async function startApp(parts: AppParts): Promise<App> {
  const { config, sites, log, dates = systemClock, clock = monotonicClock } = parts;
  let isDraining = false;
  const { RATE_LIMIT_FACTOR: factor } = config;
  const addressConnectionsMax = Math.ceil(CONNECTION_LIMITS.addressConnectionsMax * factor);
  const packetsMax = Math.ceil(CONNECTION_LIMITS.packetsMax * factor);
  const packetsMaxBytes = Math.ceil(CONNECTION_LIMITS.packetsMaxBytes * factor);
  const addressTcpMax = Math.ceil(CONNECTION_LIMITS.addressTcpMax * factor);
  const bounds = {
    ...CONNECTION_LIMITS,
    addressConnectionsMax,
    addressTcpMax,
    packetsMax,
    packetsMaxBytes,
    ...parts.bounds,
  };
  const tally = new Tally();
  const metrics = new Metrics();
  const nodeId = randomIds.node();
  const { REDIS_URL } = config;
  const backend = REDIS_URL === undefined ? memoryBackend(clock) : await redisBackend(REDIS_URL, tally, log);
  const { bus } = backend;
  const noteFailure = (thrown: unknown) =>
    log.warn({ reason: backend.faultOf(thrown) }, 'the state store did not do what it was asked');
  const store = observedStore(backend.store, metrics, noteFailure);
  const noteRoundFailure = (thrown: unknown, site?: SiteId) => {
    tally.count('round_failed');
    const fault = backend.faultOf(thrown);
    const fields = { ...(site !== undefined && { site }), ...(fault !== 'UNKNOWN' && { reason: fault }) };
    log.error({ ...fields, error: errorFields(thrown) }, 'round failed');
  };
  // Not the clock of a test: it may stand still, and a site that failed would never be tried again.
  const turns = new SiteTurns({ failed: noteRoundFailure });
  const pace = new RepairPace(monotonicClock);
  backend.onReached(() => pace.noteSignEverywhere());
  const noteRepair: MaintenanceParts['repaired'] = (site, mended) => {
    let count = 0;
    for (const kind of REPAIRED_KINDS) {
      count += mended[kind] ?? 0;
      metrics.count('passerby_repairs_total', { kind }, mended[kind] ?? 0);
    }
    log.warn({ site, count }, 'entries of the state store were lost and are put right');
  };
  const salts = new Salts(dates, backend.salts);
  await backend.atStart(() => salts.refresh());
  const addresses = new AddressHasher(salts);
  const { bans } = parts;
  const push = new SocketPush(bounds, tally);
  const sessionLimiter = new SessionRateLimiter(clock, factor);
  const limiter = new RateLimiter({ sessions: sessionLimiter, factor, redis: backend.redis, clock, tally });
  // CONNECTs cost this process, and are not to wait for a database.
  const ownLimiter = new RateLimiter({ sessions: sessionLimiter, factor, redis: null, clock, tally });
  const authenticator = new VisitorAuthenticator(addresses, bans, ownLimiter, dates);
  const eventLoop = new EventLoopLoad((longestMs) =>
    metrics.observe('passerby_event_loop_delay_seconds', {}, longestMs / 1_000),
  );
  const load = parts.load ?? eventLoop;
  const { SHED_FROM_MS: shedFromMs = SHED_FROM_MS } = config;
  const sessionAdmission = new SessionAdmission({ limiter, load, shedFromMs, clock, tally });
  const relay = new Relay(push, clock, bus, nodeId);
  const waits = new WaitStatusNotifier({ store, push, sites, log, clock });
  const dispatcher = new NoticeDispatcher({ store, relay, push, sites, bus, waits, log, metrics, nodeId, turns });
  const tell = (notices: readonly Notice[]) => dispatcher.dispatch(notices);
  const matchmaker = new Matchmaker(
    store,
    waits,
    tell,
    (sessionId) => relay.seatOf(sessionId) !== undefined,
    (sessionId, revision) => dispatcher.noteTold(sessionId, revision),
  );
  const online = new OnlineCount(store, push, clock, turns);
  const ids = randomIds;
  const toldAt = (session: SessionRef) => dispatcher.toldAt(session);
  const sessions = new Sessions({
    store,
    relay,
    push,
    online,
    waits,
    bus,
    sessionAdmission,
    ids,
    dates,
    clock,
    nodeId,
    tell,
    toldAt,
  });
  const reconciler = new Reconciler({ store, relay, push, sessions, dispatcher, waits, nodeId, turns, pace });
  await backend.listen(nodeId, (message) => {
    switch (message.kind) {
      case 'notice':
        return dispatcher.dispatchLocally(message.notice);
      case 'superseded':
        return sessions.supersedeBefore(message.sessionId, message.fence);
      case 'frame': {
        const fault = relay.receive(message.from, message.to, message.frame);
        if (fault !== null) tally.count(`frame_${fault}`);
      }
    }
  });
  const heartbeat = new Heartbeat({
    beat: (site) => store.heartbeat(site, nodeId),
    sites: () => sessions.sitesHeld(),
    faultOf: (thrown) => backend.faultOf(thrown),
    everyMs: parts.roundMs ?? ROUND_MS,
  });
  const autoBans = new AutoBans(parts.records.reports, parts.records.bans, bans, dates);
  const reports = new Reports({ store, hearing: relay, repository: parts.records.reports, autoBans, clock: dates });
  const stopForgetting = forgetReports(parts.records.reports, dates, log);
  const revocation = new AccessRevocation({ sites, bans, push, sessions, log, clock: dates });
  const stopFollowing = parts.onAccessChange(() => revocation.revokeAll());
  const onSpam: OnSpam = (site, address) => {
    autoBans
      .spammed(site, address)
      .catch((thrown: unknown) => log.error({ site, error: errorFields(thrown) }, 'automatic ban failed'));
  };
  const spam = new SpamDetector(clock, onSpam);
  const admission = new RequestAdmission({ limiter, sessionAdmission, load, shedFromMs, dates, clock, tally, spam });
  const handlers: RequestHandlers = {
    ...matchRequests({ admission, bans, dates, matchmaker, reconciler }),
    ...conversationRequests({ admission, bans, dates, dispatcher, reconciler, reports }),
    ...sessionRequests({ admission, sessions, store }),
    ...parts.handlers,
  };
  const frames = new FrameLimiter(sessionLimiter, tally, clock, (sessionId, retryAfterMs) => {
    const conversationId = relay.seatOf(sessionId)?.conversationId;
    if (conversationId !== undefined)
      push.toSession(sessionId, 'conversation:throttled', { conversationId, retryAfterMs });
  });
  const router = new RequestRouter({
    sites,
    handlers,
    passFrame: frameHandler(relay, spam),
    log,
    tally,
    limits: { limiter, frames, requestsMax: bounds.requestsMax },
  });

  const storeWatch = new StoreWatch({
    backend,
    heartbeat,
    onFailure: noteFailure,
    onMissingRight: (command) =>
      log.warn({ reason: 'NOPERM', command }, 'the user of the state store may not run a command'),
  });
  const readiness = new ReadinessCheck({
    clock,
    isDraining: () => isDraining,
    askStore: () => storeWatch.standing(),
    busFault: () => backend.busFault(),
    ...(parts.recordsStaleSince !== undefined && { recordsStaleSince: parts.recordsStaleSince }),
    probeRecords: parts.probeRecords,
    isOverloaded: () => load.delayMs() >= shedFromMs,
  });
  const httpApp = createHttpApp({
    log,
    tally,
    metrics,
    metricsToken: config.METRICS_TOKEN,
    sites,
    store: store.kind,
    isDraining: () => isDraining,
    readiness,
    securityContact: config.SECURITY_CONTACT,
    publicUrl: config.PUBLIC_URL,
    clock: dates,
    admin:
      parts.operations === undefined || config.OPERATOR_TOKEN === undefined
        ? undefined
        : {
            operations: parts.operations,
            token: config.OPERATOR_TOKEN,
            limiter,
            addressOf: (request) => addresses.hash(clientAddress(request, config.TRUSTED_HOPS), ''),
            publicUrl: config.PUBLIC_URL,
          },
  });
  const answer = httpApp.callback();
  const proxyHints = new ProxyHints(config.TRUSTED_HOPS, tally, log);
  const listenerParts = { bounds, trustedHops: config.TRUSTED_HOPS, tally, log };
  const http = createHttpServer({
    ...listenerParts,
    answer: (request, response) => void answer(request, response),
    upgradePath: SOCKET_PATH,
    onUpgrade: (request) => proxyHints.look(request),
  });
  const socketServer = createSocketServer(http, {
    sites,
    sessions,
    online,
    push,
    router,
    admitConnect: (request) => authenticator.admitConnect(clientAddress(request, config.TRUSTED_HOPS)),
    visitorOf: (site, key, request, credentials) =>
      authenticator.authenticate(site, key, clientAddress(request, config.TRUSTED_HOPS), credentials),
    letIn: (session, visitor) => {
      if (session !== null) revocation.revokeIfLost(session, visitor, relay.seatOf(session.sessionId) !== undefined);
    },
    tell,
    log,
    tally,
    bounds,
    clock,
    turns: new FairScheduler(),
    trustedHops: config.TRUSTED_HOPS,
    isDraining: () => isDraining,
  });
  // Turns of their own: nobody's message waits behind somebody's requests.
  spreadRequests(http, new FairScheduler());
  answerOneAtATime(http, (request) => proxyHints.look(request));

  const stopRounds = startMaintenance({
    everyMs: parts.roundMs ?? ROUND_MS,
    ...{ nodeId, store, sites, sessions, heartbeat, turns, pace, salts, reconciler, waits, dispatcher, online, tell },
    repaired: noteRepair,
    failed: noteRoundFailure,
  });

  const held = (): ResourceCounts => ({
    connections: socketServer.engine.clientsCount,
    sockets: push.size,
    rooms: socketServer.of('/').adapter.rooms.size,
    seats: relay.size,
    waits: waits.size,
    sites: sessions.siteCount,
    counts: online.size,
  });
  readService(metrics, { tally, readiness, held, passed: () => relay.passed });

  const { METRICS_PORT, METRICS_HOST = '127.0.0.1', METRICS_TOKEN } = config;
  const scraped = createMetricsApp({
    log,
    tally,
    metrics,
    metricsToken: METRICS_TOKEN,
    isLoopback: isLoopback(METRICS_HOST),
  }).callback();
  const metricsHttp =
    METRICS_PORT === undefined
      ? null
      : createHttpServer({
          ...listenerParts,
          answer: (request, response) => void scraped(request, response),
          upgradePath: null,
        });
  if (metricsHttp !== null) answerOneAtATime(metricsHttp);

  let url: string;
  let metricsUrl: string | null = null;
  try {
    url = await listen(http, config.PORT, config.HOST);
    if (metricsHttp !== null) metricsUrl = await listen(metricsHttp, METRICS_PORT!, METRICS_HOST);
  } catch (error) {
    stopRounds();
    heartbeat.stop();
    stopForgetting();
    stopFollowing();
    eventLoop.stop();
    http.close();
    metricsHttp?.close();
    throw error;
  }

  async function stop(): Promise<void> {
    stopRounds();
    heartbeat.stop();
    stopForgetting();
    stopFollowing();
    eventLoop.stop();
    metricsHttp?.close();
    metricsHttp?.closeAllConnections();
    http.closeAllConnections();
    await socketServer.close();
    backend.close();
  }

  async function empty(): Promise<void> {
    isDraining = true;
    push.toAll('session:draining', { reconnectAfterMs: DRAIN_SPREAD_MS });
    // Not the clock of a test: it may stand still, and connections close in their own time.
    const deadline = monotonicClock() + DRAIN_MAX_MS;
    while (socketServer.engine.clientsCount > 0 && monotonicClock() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  return {
    url,
    store: backend.store,
    storeName: backend.name,
    tally,
    metrics,
    metricsUrl,
    routes: routesOf(httpApp),
    held,
    empty,
    drain: () => empty().then(stop),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
