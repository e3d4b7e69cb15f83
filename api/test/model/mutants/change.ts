/** A piece of source text, and what a known-bad variant says in its place. */
export interface Change {
  /** A Lua file without its ending, or a TypeScript file with it. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** One known mistake. */
export interface Mutant {
  readonly name: string;
  readonly changes: readonly Change[];
}

/** The text with the mistake in it. Throws if the text is not there any more, so that no mutant is ever empty. */
export function changed(text: string, { file, from, to }: Change): string {
  if (text.split(from).length !== 2) throw new Error(`${file} does not have this once: ${from}`);
  return text.replace(from, () => to);
}
