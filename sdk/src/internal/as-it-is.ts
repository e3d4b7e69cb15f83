/**
 * A replacer for `JSON.stringify` that takes each value as it is, whatever `toJSON` the prototypes of built-ins have.
 * Old libraries that pages still have (Prototype before 1.7) give them one that makes JSON a string in a string.
 * `undefined` where there is nothing to work around, since it takes time.
 */
export function asItIs(): ((this: Record<string, unknown>, key: string) => unknown) | undefined {
  if (JSON.stringify([['']]) === '[[""]]') return undefined;
  return function (key) {
    return this[key];
  };
}
