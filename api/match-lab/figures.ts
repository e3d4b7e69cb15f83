import type { MatchRules } from '../src/matching/rules.ts';
import type { Match, Replay, Search } from './replay.ts';

/** Lengths of waits that ended in a match, milliseconds; 0 where there were none. */
export interface Waits {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface CohortFigures {
  readonly searches: number;
  readonly gaveUp: number;
  readonly waitMs: Waits;
  /** Its p95 ÷ that of everybody: above 1 it waits longer. `null` if nobody waited. */
  readonly p95ToAll: number | null;
}

/** Results of a replay. Shares are from 0 to 1. */
export interface Figures {
  readonly visitors: number;
  /** Share of visitors who had at least one conversation. */
  readonly met: number;
  readonly searches: number;
  /** Share of searches that ended in giving up; their waits are in no percentile. */
  readonly gaveUp: number;
  readonly waitMs: Waits;
  readonly matches: number;
  readonly lapsed: number;
  /** Share of matches by the step the two were judged by, named by when it begins. */
  readonly steps: Readonly<Record<string, number>>;
  /** Share of matches on the same page, in the same section only, and from elsewhere on the site. */
  readonly nearness: Readonly<Record<Match['nearness'], number>>;
  /** Mean over the matches. */
  readonly sharedInterests: number;
  /** Share of matches of two who had met recently. */
  readonly repeats: number;
  /** Jain's index over the cohorts' shares of searches that ended in a match: 1 is the same for all, 1 ÷ cohorts is all for one. */
  readonly jain: number;
  readonly cohorts: Readonly<Record<string, CohortFigures>>;
}

/** Leaves out searches that began, and matches that were made, after `untilMs`. */
export function figuresOf(replay: Replay, { expansions }: Pick<MatchRules, 'expansions'>, untilMs: number): Figures {
  const searches = replay.searches.filter(({ beganMs }) => beganMs <= untilMs);
  const matches = replay.matches.filter(({ atMs }) => atMs <= untilMs);
  const shareOf = (isIt: (match: Match) => boolean) => ratio(matches.filter(isIt).length, matches.length);
  const waitMs = waitsOf(searches);
  const cohorts = Object.fromEntries(
    [...new Set(searches.map(({ cohort }) => cohort))].sort().map((name) => {
      const own = searches.filter(({ cohort }) => cohort === name);
      return [name, cohortFigures(own, waitMs)] as const;
    }),
  );
  return {
    visitors: replay.visitors,
    met: ratio(replay.met, replay.visitors),
    searches: searches.length,
    gaveUp: gaveUpShare(searches),
    waitMs,
    matches: matches.length,
    lapsed: replay.lapsed,
    steps: Object.fromEntries(
      expansions.map(({ afterMs }, step) => [`${afterMs} ms`, shareOf((match) => match.step === step)]),
    ),
    nearness: {
      page: shareOf(({ nearness }) => nearness === 'page'),
      section: shareOf(({ nearness }) => nearness === 'section'),
      site: shareOf(({ nearness }) => nearness === 'site'),
    },
    sharedInterests: ratio(sum(matches.map(({ sharedInterests }) => sharedInterests)), matches.length),
    repeats: shareOf(({ isRepeat }) => isRepeat),
    jain: jainIndex(Object.values(cohorts).map(({ gaveUp }) => 1 - gaveUp)),
    cohorts,
  };
}

function cohortFigures(searches: readonly Search[], all: Waits): CohortFigures {
  const waitMs = waitsOf(searches);
  return {
    searches: searches.length,
    gaveUp: gaveUpShare(searches),
    waitMs,
    p95ToAll: all.p95 === 0 ? null : waitMs.p95 / all.p95,
  };
}

function waitsOf(searches: readonly Search[]): Waits {
  const sorted = searches
    .filter(({ isMet }) => isMet)
    .map(({ waitedMs }) => waitedMs)
    .sort((a, b) => a - b);
  return {
    mean: ratio(sum(sorted), sorted.length),
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    max: sorted.at(-1) ?? 0,
  };
}

/** Least value that this share of the values does not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Jain's index, (Σx)² ÷ (n · Σx²): evenness of a distribution. */
export function jainIndex(shares: readonly number[]): number {
  const squares = sum(shares.map((share) => share * share));
  return squares === 0 ? 1 : sum(shares) ** 2 / (shares.length * squares);
}

function gaveUpShare(searches: readonly Search[]): number {
  return ratio(searches.filter(({ isMet }) => !isMet).length, searches.length);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
