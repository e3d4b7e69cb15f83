/** Kinds of entries that a repair checks, in the order of the store's repair counts. */
export const REPAIRED_KINDS = ['sessions', 'tokens', 'conversations', 'parties', 'placed', 'index', 'waits'] as const;
export type RepairedKind = (typeof REPAIRED_KINDS)[number];
