/** Ends a switch over a union: a variant that nobody handles is a type error here. */
export function assertNever(value: never): never {
  throw new Error(`Not handled: ${JSON.stringify(value)}`);
}
