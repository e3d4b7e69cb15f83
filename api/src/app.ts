import { maintenanceLog } from './background/maintenance-log.ts';
import { Draining } from './draining.ts';
import { createEntryPoints } from './entry-points.ts';
import { startMaintenance } from './background/site-maintenance.ts';
import { memoryBackend } from './backend.ts';
import { redisBackend } from './redis-backend.ts';
import { type ConnectionLimits, connectionLimits } from './limits/connection-limits.ts';
import type { Config } from './config.ts';
import { type Clock, type MonotonicClock, monotonicClock, systemClock } from './clock.ts';
import { Heartbeat } from './cluster/heartbeat.ts';
import { NoticeDispatcher } from './sessions/notice-dispatcher.ts';
import { Relay } from './sessions/relay.ts';
import { listen } from './http/listen.ts';
import type { Operation } from './http/admin/operation.ts';
import { SessionAdmission } from './admission/session-admission.ts';
import { EventLoopLoad, type Load, SHED_FROM_MS } from './rate-limiting/event-loop-load.ts';
import { RateLimiter } from './rate-limiting/rate-limiter.ts';
import { LocalSessions } from './sessions/local-sessions.ts';
import { Matchmaker } from './sessions/matchmaker.ts';
import { RetainedStates } from './sessions/retained-states.ts';
import { SiteActivity } from './sessions/site-activity.ts';
import { WaitStatusNotifier } from './sessions/wait-status.ts';
import { errorFields, type Log } from './observability/log.ts';
import { Metrics } from './observability/metrics.ts';
import { observedStore } from './state/observed-store.ts';
import { ReadinessCheck } from './observability/readiness.ts';
import { StoreWatch } from './observability/store-standing.ts';
import { readService } from './observability/service-readings.ts';
import { AddressHasher } from './privacy/address-hash.ts';
import type { BanList } from './moderation/bans.ts';
import { type BanRepository, AutoBans, type ReportCounts } from './moderation/auto-bans.ts';
import { VisitorAuthenticator } from './admission/visitor-authenticator.ts';
import { RequestAdmission } from './admission/request-admission.ts';
import { SpamDetector } from './moderation/spam-detector.ts';
import { type ReportRepository, Reports } from './moderation/reports.ts';
import { type ReportRetention, forgetReports } from './moderation/report-retention.ts';
import { Salts } from './privacy/salts.ts';
import { AccessRevocation } from './sessions/access-revocation.ts';
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
import { SocketBroadcast } from './socket/socket-broadcast.ts';
import { welcomeVisitors } from './socket/visitor-arrival.ts';
import { randomIds } from './domain/id-source.ts';
import { RepairPace } from './state/repair-pace.ts';
import { SiteTurns } from './state/site-turns.ts';
import type { StateStore } from './state/state-store.ts';

/** Interval of maintenance: lapsed grace, silent conversations, a changed online count. Milliseconds. */
const ROUND_MS = 1_000;

export interface AppParts {
  readonly config: Pick<Config, 'HOST' | 'PORT' | 'REDIS_URL' | 'TRUSTED_HOPS' | 'RATE_LIMIT_FACTOR'> & Partial<Config>;
  readonly sites: SiteDirectory;
  /** Bans in force. */
  readonly bans: BanList;
  /** Calls back when a key is no longer good or a ban has come; returns the undo. */
  readonly onAccessChange: (changed: () => void) => () => void;
  /** Repositories of reports and bans. */
  readonly records: {
    readonly reports: ReportRepository & ReportCounts & ReportRetention;
    readonly bans: BanRepository;
  };
  /** Operations of the operators' API, if there is an `OPERATOR_TOKEN`. */
  readonly operations?: readonly Operation[];
  /** Time since which the database has not answered, by `clock`; `null` while it does. */
  readonly recordsStaleSince?: () => number | null;
  /** Rejects if the database takes no writes. */
  readonly probeRecords?: () => Promise<unknown>;
  readonly log: Log;
  /** Replaces the wall clock, which decides the end of a ban and the expiry of a key. */
  readonly dates?: Clock;
  /** Replaces the monotonic clock, which measures durations. */
  readonly clock?: MonotonicClock;
  /** Interval of maintenance. Milliseconds. */
  readonly roundMs?: number;
  /** Replaces bounds, so that a test need not wait for as long as a visitor may. */
  readonly bounds?: Partial<ConnectionLimits>;
  /** Replaces the measurement of the event loop's delay. */
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
  /** Visitors who wait. */
  readonly waits: number;
  /** Sites that this node maintains. */
  readonly sites: number;
  /** Sites whose visitors were told how many they are, or are about to be. */
  readonly counts: number;
}

/** A running service. */
export interface App {
  /** Origin at which it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly store: StateStore;
  /** Name of the state store, such as `memory` or `Redis 7.2.4`. */
  readonly storeName: string;
  readonly metrics: Metrics;
  /** Origin of the metrics, if they have a port of their own; `null` otherwise. */
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

/** Constructs the service and starts it: the one place that constructs things. */
export async function startApp(parts: AppParts): Promise<App> {
  const { config, sites, bans, log, dates = systemClock, clock = monotonicClock } = parts;
  const { REDIS_URL, TRUSTED_HOPS: trustedHops, RATE_LIMIT_FACTOR: factor } = config;
  const { roundMs = ROUND_MS } = parts;
  const draining = new Draining();
  const bounds = { ...connectionLimits(factor), ...parts.bounds };
  const metrics = new Metrics();
  const ids = randomIds;
  const nodeId = ids.node();

  const backend = REDIS_URL === undefined ? memoryBackend(clock) : await redisBackend(REDIS_URL, metrics, log);
  const { bus } = backend;
  const faultOf = (thrown: unknown) => backend.faultOf(thrown);
  const noteFailure = (thrown: unknown) =>
    log.warn({ reason: faultOf(thrown) }, 'an operation of the state store failed');
  const store = observedStore(backend.store, metrics, noteFailure);
  const { failed, repaired } = maintenanceLog({ log, metrics, faultOf });
  // Not the clock of a test: it may stand still, and a site that failed would never be tried again.
  const turns = new SiteTurns({ failed });
  const pace = new RepairPace(monotonicClock);
  backend.onReached(() => pace.noteSignEverywhere());

  const salts = new Salts(dates, backend.salts);
  await backend.atStart(() => salts.refresh());
  const addresses = new AddressHasher(salts);
  const limiter = new RateLimiter({ factor, redis: backend.redis, clock, metrics });
  // CONNECTs cost this process, and are not to wait for a database.
  const connectLimiter = new RateLimiter({ factor, redis: null, clock, metrics });
  const authenticator = new VisitorAuthenticator(addresses, bans, connectLimiter, dates);
  const eventLoop = new EventLoopLoad((longestMs) =>
    metrics.observe('passerby_event_loop_delay_seconds', {}, longestMs / 1_000),
  );
  const { load = eventLoop } = parts;
  const { SHED_FROM_MS: shedFromMs = SHED_FROM_MS } = config;
  const sessionAdmission = new SessionAdmission({ limiter, load, shedFromMs, clock, metrics });

  const retained = new RetainedStates({ clock, factor, metrics });
  const local = new LocalSessions(retained);
  const relay = new Relay({ local, clock, bus, nodeId, metrics });
  const waits = new WaitStatusNotifier({ store, local, sites, log, clock });
  const dispatcher = new NoticeDispatcher({ store, local, relay, waits, sites, bus, log, metrics, nodeId, turns });
  const matchmaker = new Matchmaker({ store, waits, dispatcher });
  const activity = new SiteActivity(local, clock);
  const heartbeat = new Heartbeat({
    beat: (site) => store.heartbeat(site, nodeId),
    sites: () => activity.all(),
    faultOf,
    everyMs: roundMs,
  });

  const storeWatch = new StoreWatch({
    backend,
    heartbeat,
    onFailure: noteFailure,
    onMissingRight: (command) =>
      log.warn({ reason: 'NOPERM', command }, 'the Redis user lacks the permission for a command'),
  });
  const readiness = new ReadinessCheck({
    clock,
    isDraining: () => draining.isDraining,
    askStore: () => storeWatch.standing(),
    busFault: () => backend.busFault(),
    ...(parts.recordsStaleSince !== undefined && { recordsStaleSince: parts.recordsStaleSince }),
    probeRecords: parts.probeRecords,
    isOverloaded: () => load.delayMs() >= shedFromMs,
  });
  const { http, metricsServer, socketServer, routes } = createEntryPoints({
    ...{ config, bounds, sites, store, limiter, addresses, readiness, log, metrics, dates, clock },
    operations: parts.operations,
    isDraining: () => draining.isDraining,
  });

  const broadcast = new SocketBroadcast(socketServer, { bounds, metrics });
  const online = new OnlineCount({ store, local, broadcast, clock, turns });
  const sessions = new Sessions({
    ...{ store, local, relay, waits, dispatcher, online, activity, bus, sessionAdmission },
    ...{ ids, dates, clock, nodeId, log },
  });
  const reconciler = new Reconciler({ store, local, sessions, dispatcher, nodeId, turns, pace });
  const revocation = new AccessRevocation({ sites, bans, local, sessions, log, clock: dates });
  await backend.listen(nodeId, (message) => {
    switch (message.kind) {
      case 'notice':
        return dispatcher.dispatchLocally(message.notice);
      case 'superseded':
        return sessions.supersedeBefore(message.sessionId, message.fence);
      case 'frame': {
        const fault = relay.receive(message.from, message.to, message.frame);
        if (fault !== null) metrics.count('passerby_frames_dropped_total', { fault });
      }
    }
  });

  const { reports: reportRepository, bans: banRepository } = parts.records;
  const autoBans = new AutoBans(reportRepository, banRepository, bans, dates);
  const reports = new Reports({ store, hearing: relay, repository: reportRepository, autoBans, clock: dates });
  const spam = new SpamDetector(clock, (site, address) => {
    autoBans
      .spammed(site, address)
      .catch((thrown: unknown) => log.error({ site, error: errorFields(thrown) }, 'automatic ban failed'));
  });
  const admission = new RequestAdmission({ limiter, sessionAdmission, load, shedFromMs, dates, clock, metrics, spam });
  const handlers: RequestHandlers = {
    ...matchRequests({ admission, bans, dates, matchmaker, reconciler }),
    ...conversationRequests({ admission, bans, dates, dispatcher, reconciler, reports }),
    ...sessionRequests({ admission, sessions, store }),
    ...parts.handlers,
  };
  const passFrame = frameHandler(relay, spam);
  const router = new RequestRouter({ sites, handlers, passFrame, log, metrics, requestsMax: bounds.requestsMax });
  const createLimiter = () => retained.createLimiter();
  welcomeVisitors(socketServer, {
    ...{ sites, authenticator, sessions, revocation, online, router },
    ...{ createLimiter, bounds, trustedHops, log, metrics },
  });

  const held = (): ResourceCounts => {
    const { sessions: sockets, seated: seats, waiting } = local.counts();
    return {
      ...{ connections: socketServer.engine.clientsCount, rooms: socketServer.of('/').adapter.rooms.size },
      ...{ sockets, seats, waits: waiting, sites: activity.size, counts: online.size },
    };
  };
  readService(metrics, { readiness, held });

  const stopWorkers = [
    startMaintenance({
      ...{ everyMs: roundMs, nodeId, store, sites, sessions, activity, heartbeat, turns, pace, salts },
      ...{ reconciler, waits, dispatcher, online, repaired, failed },
    }),
    forgetReports(reportRepository, dates, log),
    parts.onAccessChange(() => revocation.revokeAll()),
    () => heartbeat.stop(),
    () => eventLoop.stop(),
    () => metricsServer.close(),
  ];

  async function stop(): Promise<void> {
    for (const stopWorker of stopWorkers) stopWorker();
    http.closeAllConnections();
    await socketServer.close();
    backend.close();
  }

  const empty = () => draining.start(broadcast, () => socketServer.engine.clientsCount);

  let url: string;
  let metricsUrl: string | null;
  try {
    url = await listen(http, config.PORT, config.HOST);
    metricsUrl = await metricsServer.listen();
  } catch (error) {
    for (const stopWorker of stopWorkers) stopWorker();
    http.close();
    throw error;
  }

  return {
    ...{ url, metricsUrl, routes, metrics, held, empty, stop },
    store: backend.store,
    storeName: backend.name,
    drain: () => empty().then(stop),
    [Symbol.asyncDispose]: stop,
  };
}
