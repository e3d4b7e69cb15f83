/** Kinds of entries that a repair looks at, in the order in which the store tells how many it put right. */
export const REPAIRED_KINDS = ['sessions', 'tokens', 'conversations', 'parties', 'placed', 'index', 'waits'] as const;
export type RepairedKind = (typeof REPAIRED_KINDS)[number];
