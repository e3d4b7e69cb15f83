// Compiled by `tsc -p sdk`, never run.
import type { BodyKind, NUMBERED_KINDS, UNNUMBERED_KINDS } from './index.ts';

type Listed = (typeof NUMBERED_KINDS | typeof UNNUMBERED_KINDS)[number];

/** Does not compile while a kind of body is in neither list. */
export const isListed = (kind: BodyKind): Listed => kind;
