/** Piece of source text, and its replacement in a known-bad variant. */
export interface Change {
  /** Lua file without its extension, or a TypeScript file with it. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Known mistake. */
export interface Mutant {
  readonly name: string;
  readonly changes: readonly Change[];
}

/** Returns the text with the mistake in it. Throws if the text was not found, so that no mutant is ever empty. */
export function changed(text: string, { file, from, to }: Change): string {
  if (text.split(from).length !== 2) throw new Error(`${file} does not have this once: ${from}`);
  return text.replace(from, () => to);
}
