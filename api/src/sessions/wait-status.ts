import type { PushPayload, Widening } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Push } from '../push.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { SessionId, SiteId } from '../domain/ids.ts';
import type { StateStore, Survey } from '../state/state-store.ts';
import { SURVEYED } from '../state/survey.ts';
import { stepAt } from '../matching/expansions.ts';
import type { MatchRules } from '../matching/rules.ts';

/** Interval at which a waiting visitor is told how the wait stands. Milliseconds. */
const REPORT_EVERY_MS = 2_000;
/** Reports one round makes at most, so that a crowd waiting costs the store no more than this. */
const REPORTS_MAX = 200;
/** Unit to which the typical wait is rounded up, so that one more of the recent waits seldom changes what is told. Milliseconds. */
const ESTIMATES_MS = [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000] as const;
/** Surveys under way at once: a store far away is not asked for one after the other, nor for all together. */
const UNDER_WAY_MAX = 32;
/** Time in which one round begins surveys. Those that are left are first in the next one. Milliseconds. */
const ROUND_MS = 500;

/** Tells who waits on this node how their wait stands. */
export class WaitStatusNotifier {
  readonly #store: StateStore;
  readonly #push: Push;
  readonly #sites: SiteDirectory;
  readonly #log: Log;
  readonly #clock: MonotonicClock;
  /** Visitors who wait here, by when they are told next; the next one first. */
  readonly #dueAt = new Map<SessionId, number>();
  /** Since when they wait, as far as this node knows. */
  readonly #since = new Map<SessionId, number>();

  readonly #roundMs: number;

  constructor(parts: {
    store: StateStore;
    push: Push;
    sites: SiteDirectory;
    log: Log;
    clock: MonotonicClock;
    /** Replaces `ROUND_MS`, for tests. */
    roundMs?: number;
  }) {
    this.#store = parts.store;
    this.#push = parts.push;
    this.#sites = parts.sites;
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#roundMs = parts.roundMs ?? ROUND_MS;
  }

  /** This visitor waits, and has for `waitedMs`; told first after a while, since most waits are over by then. */
  follow(sessionId: SessionId, waitedMs = 0): void {
    if (this.#dueAt.has(sessionId)) return;
    this.#dueAt.set(sessionId, this.#clock() + REPORT_EVERY_MS);
    this.#since.set(sessionId, this.#clock() - waitedMs);
  }

  /** The wait is over, or the visitor is elsewhere. */
  unfollow(sessionId: SessionId): void {
    this.#dueAt.delete(sessionId);
    this.#since.delete(sessionId);
  }

  /** Time for which the visitor has waited; 0 for one who does not wait here. Milliseconds. */
  waitedMs(sessionId: SessionId): number {
    const since = this.#since.get(sessionId);
    return since === undefined ? 0 : Math.max(0, this.#clock() - since);
  }

  /** Returns whether the visitor was told to wait. */
  isFollowed(sessionId: SessionId): boolean {
    return this.#dueAt.has(sessionId);
  }

  /** Number of visitors who wait here, for the tests that show nothing is left behind. */
  get size(): number {
    return this.#dueAt.size;
  }

  /** Tells those whose time has come, whoever has waited longest for it first, for as long as a round may take. */
  async round(): Promise<void> {
    const now = this.#clock();
    const due: SessionId[] = [];
    for (const [sessionId, dueAt] of this.#dueAt) {
      if (dueAt > now || due.length === REPORTS_MAX) break;
      due.push(sessionId);
    }
    const deadline = performance.now() + this.#roundMs;
    let next = 0;
    const sitesAway = new Set<SiteId>();
    const lane = async () => {
      while (next < due.length && performance.now() <= deadline) {
        const sessionId = due[next++]!;
        const site = this.#push.sessionOf(sessionId)?.site;
        // A site that fails is not asked for its others too: they go to the end, and keep nobody of another site waiting.
        const outcome = site !== undefined && sitesAway.has(site) ? 'unavailable' : await this.#report(sessionId);
        if (outcome === 'unavailable' && site !== undefined) sitesAway.add(site);
        // Unless the wait ended meanwhile; last in order again if it goes on.
        if (!this.#dueAt.delete(sessionId)) continue;
        if (outcome === 'over') this.#since.delete(sessionId);
        else this.#dueAt.set(sessionId, this.#clock() + REPORT_EVERY_MS);
      }
    };
    await Promise.all(Array.from({ length: Math.min(UNDER_WAY_MAX, due.length) }, lane));
  }

  async #report(sessionId: SessionId): Promise<'told' | 'over' | 'unavailable'> {
    const session = this.#push.sessionOf(sessionId);
    if (session === null) return 'over';
    try {
      const survey = await this.#store.survey(session);
      // Met somebody, of which a notice is on its way, or fell out of line: reconciling tells which.
      if (survey === null) return 'told';
      this.#push.toSession(sessionId, 'match:status', statusFrom(survey, this.#sites.rulesOf(session.site)));
      return 'told';
    } catch (thrown) {
      this.#log.warn({ site: session.site, error: errorFields(thrown) }, 'a wait could not be surveyed');
      return thrown instanceof Refusal && thrown.code === 'unavailable' ? 'unavailable' : 'told';
    }
  }
}

/**
 * Returns what a visitor is told of their wait. Of others only that they wait from `SURVEYED.networksMax` different networks or more,
 * the visitor's own left out, and no larger figure: a count of people is filled up by anybody, and each further figure is one
 * more edge at which a single waiter could be found out.
 */
export function statusFrom(survey: Survey, rules: MatchRules): PushPayload<'match:status'> {
  const step = stepAt(rules.expansions, survey.waitedMs);
  const { reach, isLanguageNeeded } = rules.expansions[step]!;
  const typicalMs = ESTIMATES_MS.find((estimateMs) => estimateMs >= (survey.typicalWaitMs ?? Infinity));
  const etaMs = typicalMs === undefined ? 0 : typicalMs - survey.waitedMs;
  const isLanguageInTheWay = isLanguageNeeded || rules.isLanguageHard;
  const isLastStep = step === rules.expansions.length - 1;
  return {
    waitingForMs: survey.waitedMs,
    reach,
    ...(etaMs > 0 && { etaMs }),
    widen: [
      ...(isLanguageInTheWay ? widening('languages', survey.otherLanguageNetworks) : []),
      // Everybody of the site is looked at by then: who still waits beside is kept apart by a hard rule.
      ...(isLastStep
        ? widening('groups', survey.networks - (rules.isLanguageHard ? survey.otherLanguageNetworks : 0))
        : []),
    ],
  };
}

function widening(what: Widening['what'], networks: number): Widening[] {
  return networks < SURVEYED.networksMax ? [] : [{ what, atLeast: SURVEYED.networksMax }];
}
