/**
 * Reaches within which a match is searched: the visitor's page (topic), their part of the site (section), the whole
 * site.
 */
export const REACHES = ['topic', 'section', 'site'] as const;
export type Reach = (typeof REACHES)[number];

/** Soft rules in force after `afterMs` of waiting. The step of whoever has waited longer applies to the pair. */
export interface Expansion {
  /** Wait from which the step is in force; the first is 0, each later one larger. Milliseconds. */
  readonly afterMs: number;
  readonly reach: Reach;
  /** True if visitors who both named interests must share one. */
  readonly isInterestNeeded: boolean;
  /** True if visitors who both named languages must share one. */
  readonly isLanguageNeeded: boolean;
  /** True if two who met within `repeatMs` may meet again, if nobody else is there. */
  readonly isRepeatAllowed: boolean;
}

/** Weights of the differences if several candidates fit: the smallest sum is matched. */
export interface Weights {
  /** Multiplied by the share of interests that the two do not have in common, 0 to 1. */
  readonly interest: number;
  /** Added if both named languages and share none. */
  readonly language: number;
  /** Added for another section; half of it for another page of the same section. */
  readonly topic: number;
  /** Subtracted for every second the candidate has waited. */
  readonly waiting: number;
}

/** Matching rules of a site. Validated data; the match lab shows the effect of a change. */
export interface MatchRules {
  readonly weights: Weights;
  readonly expansions: readonly Expansion[];
  /** True if visitors who both named languages must share one, however long they wait. */
  readonly isLanguageHard: boolean;
  /** Maximum number of candidates examined in one decision. */
  readonly scanMax: number;
  /**
   * Maximum number of oldest waiters read from one index. Of the shared interests of an exact scan, 16 keep 88 %, 8
   * keep 82 %.
   */
  readonly perTagMax: number;
  /** Time for which two visitors count as having met. Milliseconds. */
  readonly repeatMs: number;
  /** Maximum time until both visitors have confirmed a match; then it falls through. Milliseconds. */
  readonly confirmMs: number;
}

const MINUTE_MS = 60_000;

/** Default matching rules. */
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
