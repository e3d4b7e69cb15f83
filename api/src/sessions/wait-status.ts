import type { PushPayload, Widening } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { SiteId } from '../domain/ids.ts';
import type { StateStore, Survey } from '../state/state-store.ts';
import { SURVEYED } from '../state/survey.ts';
import { stepAt } from '../matching/expansions.ts';
import type { MatchRules } from '../matching/rules.ts';
import type { LocalSession, LocalSessions } from './local-sessions.ts';

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

/** Tells the visitors who wait on this node the status of their wait. */
export class WaitStatusNotifier {
  readonly #store: Pick<StateStore, 'survey'>;
  readonly #local: LocalSessions;
  readonly #sites: Pick<SiteDirectory, 'rulesOf'>;
  readonly #log: Log;
  readonly #clock: MonotonicClock;
  readonly #roundMs: number;
  /** Sessions with a `wait`, the one due next first. */
  readonly #queue = new Set<LocalSession>();

  constructor(parts: {
    readonly store: Pick<StateStore, 'survey'>;
    readonly local: LocalSessions;
    readonly sites: Pick<SiteDirectory, 'rulesOf'>;
    readonly log: Log;
    readonly clock: MonotonicClock;
    /** Replaces `ROUND_MS`, for tests. */
    readonly roundMs?: number;
  }) {
    this.#store = parts.store;
    this.#local = parts.local;
    this.#sites = parts.sites;
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#roundMs = parts.roundMs ?? ROUND_MS;
  }

  /**
   * Notes that a visitor waits, and has for `waitedMs`. They are told first after `REPORT_EVERY_MS`, since most waits are
   * over by then.
   */
  follow(session: LocalSession, waitedMs = 0): void {
    if (session.wait !== null || !this.#local.has(session)) return;
    const now = this.#clock();
    session.wait = { since: now - waitedMs, dueAt: now + REPORT_EVERY_MS };
    this.#queue.add(session);
  }

  /** Notes that a wait is over, or its visitor no longer on this node. */
  unfollow(session: LocalSession): void {
    session.wait = null;
    this.#queue.delete(session);
  }

  /** Returns the time for which the visitor has waited; 0 for one who does not wait here. Milliseconds. */
  waitedMs({ wait }: LocalSession): number {
    return wait === null ? 0 : Math.max(0, this.#clock() - wait.since);
  }

  /** Tells those who are due, the longest overdue first, for as long as a round may take. */
  async round(): Promise<void> {
    const now = this.#clock();
    const due: LocalSession[] = [];
    for (const session of this.#queue) {
      if (session.wait!.dueAt > now || due.length === REPORTS_MAX) break;
      due.push(session);
    }
    const deadline = performance.now() + this.#roundMs;
    let next = 0;
    const sitesAway = new Set<SiteId>();
    const lane = async () => {
      while (next < due.length && performance.now() <= deadline) {
        const session = due[next++]!;
        if (session.wait === null) continue;
        const { site } = session.ref;
        // A site that fails is not asked again in this round: its visitors are requeued, and delay nobody of another site.
        if (!sitesAway.has(site) && (await this.#report(session)) === 'unavailable') sitesAway.add(site);
        this.#requeue(session);
      }
    };
    await Promise.all(Array.from({ length: Math.min(UNDER_WAY_MAX, due.length) }, lane));
  }

  /** Moves a session to the end of the queue, unless its wait ended meanwhile. */
  #requeue(session: LocalSession): void {
    if (session.wait === null) return;
    session.wait.dueAt = this.#clock() + REPORT_EVERY_MS;
    this.#queue.delete(session);
    this.#queue.add(session);
  }

  async #report(session: LocalSession): Promise<'told' | 'unavailable'> {
    const { ref } = session;
    try {
      const survey = await this.#store.survey(ref);
      // Without one the visitor was matched, and a notice is on its way, or fell out of the queue: reconciling tells which.
      if (survey !== null && session.wait !== null)
        session.connection.push('match:status', statusFrom(survey, this.#sites.rulesOf(ref.site)));
      return 'told';
    } catch (thrown) {
      this.#log.warn({ site: ref.site, error: errorFields(thrown) }, 'the status of a wait could not be read');
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
