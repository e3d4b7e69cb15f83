/** Steps of the distance within which a match is searched: their page (topic), their part of the site (section), the whole site. */
export const REACHES = ['topic', 'section', 'site'] as const;
export type Reach = (typeof REACHES)[number];

/** The soft rules in force from `afterMs` of waiting on. The pair is judged by the step of whoever has waited longer. */
export interface Expansion {
  /** Milliseconds of waiting; the first is 0, each later one larger. */
  readonly afterMs: number;
  readonly reach: Reach;
  /** True if visitors who both named interests must share one. */
  readonly isInterestNeeded: boolean;
  /** True if visitors who both named languages must share one. */
  readonly isLanguageNeeded: boolean;
  /** True if two who met within `repeatMs` may meet again, if nobody else is there. */
  readonly isRepeatAllowed: boolean;
}

/** Weights of each difference when several visitors would do: the smallest sum is met. */
export interface Weights {
  /** Times the share of interests the two do not have in common, 0 to 1. */
  readonly interest: number;
  /** Once, if both named languages and share none. */
  readonly language: number;
  /** Half for another page of the same section, once for another section. */
  readonly topic: number;
  /** Taken off for every second the candidate has waited. */
  readonly waiting: number;
}

/** Rules for who meets whom on a site. Data, validated; a change shows in the match lab. */
export interface MatchRules {
  readonly weights: Weights;
  readonly expansions: readonly Expansion[];
  /** True if visitors who both named languages must share one, however long they wait. */
  readonly isLanguageHard: boolean;
  /** Candidates examined in one decision at most. */
  readonly scanMax: number;
  /** Oldest waiters taken from one index at most. Of the exact scan's shared interests, 16 keep 88 %, 8 keep 82 %. */
  readonly perTagMax: number;
  /** Time for which two who met count as having met. Milliseconds. */
  readonly repeatMs: number;
  /** Time for which both sides have to confirm a match before it falls through. Milliseconds. */
  readonly confirmMs: number;
}

const MINUTE_MS = 60_000;

/** Default of a site that sets nothing. */
export const DEFAULT_MATCH_RULES: MatchRules = {
  weights: { interest: 4, language: 4, topic: 2, waiting: 0.2 },
  expansions: [
    { afterMs: 0, reach: 'topic', isInterestNeeded: true, isLanguageNeeded: true, isRepeatAllowed: false },
    { afterMs: 1_500, reach: 'section', isInterestNeeded: false, isLanguageNeeded: true, isRepeatAllowed: false },
    { afterMs: 3_000, reach: 'site', isInterestNeeded: false, isLanguageNeeded: true, isRepeatAllowed: false },
    { afterMs: 6_000, reach: 'site', isInterestNeeded: false, isLanguageNeeded: false, isRepeatAllowed: true },
  ],
  isLanguageHard: false,
  scanMax: 50,
  perTagMax: 16,
  repeatMs: 30 * MINUTE_MS,
  confirmMs: 3_000,
};
