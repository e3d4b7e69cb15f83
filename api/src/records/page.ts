/** Page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Value of `after` for the next page; `null` on the last. */
  readonly next: string | null;
}

/** Returns the `next` of a page, for which up to one row more than `max` was read, in the order of their ids. */
export function nextOf(rows: readonly { readonly id: unknown }[], max: number): string | null {
  if (rows.length <= max) return null;
  // What is no text sorts behind all that is, and cannot be gone on from.
  const id = rows.slice(0, max).findLast((row) => typeof row.id === 'string')?.id;
  return typeof id === 'string' ? id : null;
}
