/** Returns the value of a JSON text; `undefined` for anything else, which the caller refuses as it does any unexpected value. */
export function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the `undefined` says so.
    return undefined;
  }
}
