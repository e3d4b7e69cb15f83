/** Ends an exhaustive switch over a union: an unhandled variant is a type error here. */
export function assertNever(value: never): never {
  throw new Error(`Not handled: ${JSON.stringify(value)}`);
}
