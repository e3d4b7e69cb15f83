/** A part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where to go on (`after`); `null` at the end. */
  readonly next: string | null;
}
