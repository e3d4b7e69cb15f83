/** A piece of a sentence: the words around a blank, or what fills it. */
export interface Piece {
  readonly text: string;
  readonly isFilling: boolean;
}

/** Cuts `template` at its `{blanks}` and puts `values` there; a blank without a value stays as it is. */
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
