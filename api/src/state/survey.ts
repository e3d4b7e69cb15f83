/** Time for which a block lives. Milliseconds. */
export const BLOCK_MS = 24 * 60 * 60_000;
/** Minimum number of matched waits from which a typical one is told, and number of those remembered. */
export const TYPICAL_WAIT = { fromCount: 5, ofLast: 32 } as const;

/**
 * Networks are counted up to `networksMax`, among the first `waitersMax` in the queue: only whether there are that many is
 * told. Five, since four further addresses cost money and effort, and a queue that long is not a quiet hour.
 */
export const SURVEYED = { networksMax: 5, waitersMax: 25 } as const;

/** Counts of those who wait in the asker's age band. */
export interface Around {
  /** The asker is counted. */
  readonly waiting: number;
  /** Summed over the asker's languages; the asker is in it once a language. */
  readonly sharingLanguage: number;
  /** Number of languages the asker named. */
  readonly languagesSpoken: number;
}

/** Returns whether somebody waits who may share no language with the asker. */
export function mayBeForeign({ waiting, sharingLanguage, languagesSpoken }: Around): boolean {
  return languagesSpoken > 0 && waiting - 1 > sharingLanguage - languagesSpoken;
}

/** Typical one of a site's recent waits that ended in a match; `null` if there were not enough. */
export function typicalOf(recentWaits: readonly number[]): number | null {
  if (recentWaits.length < TYPICAL_WAIT.fromCount) return null;
  return [...recentWaits].sort((a, b) => a - b)[recentWaits.length >> 1]!;
}
