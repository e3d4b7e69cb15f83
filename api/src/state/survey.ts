import type { Survey } from './state-store.ts';

/** How long a block lives. Milliseconds. */
export const BLOCK_MS = 24 * 60 * 60_000;
/** From how many matched waits on a typical one is told, and how many are remembered. */
export const TYPICAL_WAIT = { fromCount: 5, ofLast: 32 } as const;

/**
 * Networks are counted up to `networksMax`, among the first `waitersMax` in line: whether there are that many is all that is
 * told. Five, since four further addresses cost money and trouble, and a line that long is no quiet hour.
 */
export const SURVEYED = { networksMax: 5, waitersMax: 25 } as const;

/** What a store counted around a wait; the asker is in every count whose tag is theirs. */
export interface Counted {
  readonly waitedMs: number;
  readonly waiting: number;
  readonly onTopic: number;
  readonly inSection: number;
  /** Summed over the asker's languages. */
  readonly sharingLanguage: number;
  /** How many languages the asker named. */
  readonly languagesSpoken: number;
  readonly recentWaits: readonly number[];
  readonly networks: number;
  readonly otherLanguageNetworks: number;
}

/** Whether somebody waits who may share no language with the asker; the asker is in both counts, in the latter once a language. */
export function mayBeForeign({
  waiting,
  sharingLanguage,
  languagesSpoken,
}: Pick<Counted, 'waiting' | 'sharingLanguage' | 'languagesSpoken'>): boolean {
  return languagesSpoken > 0 && waiting - 1 > sharingLanguage - languagesSpoken;
}

/** The survey, with the asker taken out of the counts. */
export function surveyFrom(counted: Counted): Survey {
  const { recentWaits, languagesSpoken } = counted;
  const others = (count: number) => Math.max(0, count - 1);
  const sorted = [...recentWaits].sort((a, b) => a - b);
  const sharing = counted.sharingLanguage - languagesSpoken;
  return {
    waitedMs: counted.waitedMs,
    typicalWaitMs: sorted.length < TYPICAL_WAIT.fromCount ? null : sorted[sorted.length >> 1]!,
    waiting: others(counted.waiting),
    onTopic: others(counted.onTopic),
    inSection: others(counted.inSection),
    otherLanguage: languagesSpoken === 0 ? 0 : Math.max(0, others(counted.waiting) - sharing),
    networks: counted.networks,
    otherLanguageNetworks: counted.otherLanguageNetworks,
  };
}
