/** Piece of a sentence: text around a placeholder, or the value in its place. */
export interface Piece {
  readonly text: string;
  readonly isFilling: boolean;
}

/** Splits `template` at its `{placeholders}` and inserts `values`; a placeholder without a value stays as it is. */
export function pieces(template: string, values: Readonly<Record<string, string | number>>): Piece[] {
  return template
    .split(/\{(\w+)\}/)
    .map((text, index) => {
      const isBlank = index % 2 === 1;
      const value = isBlank && Object.hasOwn(values, text) ? values[text] : undefined;
      return { text: value === undefined ? (isBlank ? `{${text}}` : text) : String(value), isFilling: isBlank };
    })
    .filter(({ text }) => text !== '');
}

export function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return pieces(template, values)
    .map(({ text }) => text)
    .join('');
}
