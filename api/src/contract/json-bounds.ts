/** Bounds of JSON text, checked before it is parsed. */
export interface JsonBounds {
  /** Maximum nesting of lists and objects. */
  readonly depthMax: number;
  /** Maximum number of values, lists and objects included. */
  readonly valuesMax: number;
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Returns whether JSON text nests no deeper, and holds no more values, than `bounds` say. Reads each character once
 * from `from` on, stops at the first one too many, and allocates nothing. The result means nothing for text that is not
 * JSON, which a parser refuses.
 */
export function isJsonWithin(text: string, { depthMax, valuesMax }: JsonBounds, from = 0): boolean {
  let depth = 0;
  let values = 1;
  for (let at = from; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case LIST:
      case OBJECT:
        depth++;
        values++;
        if (depth > depthMax || values > valuesMax) return false;
        break;
      case LIST_END:
      case OBJECT_END:
        depth--;
        break;
      case COMMA:
        values++;
        if (values > valuesMax) return false;
    }
  }
  return true;
}

/**
 * Returns whether a value that was parsed elsewhere nests no deeper than `depthMax`. Itself recurses no deeper than
 * that.
 */
export function isValueWithin(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depthMax === 0) return false;
  return Object.values(value).every((inner) => isValueWithin(inner, depthMax - 1));
}

/** Returns the index of the quote that ends the string beginning at `start`; the end of the text if there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}
