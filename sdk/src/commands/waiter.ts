import type { ChatError } from '../errors.ts';

/** Ends of a promise that is settled later. */
export interface Waiter<Value = void> {
  resolve(value: Value): void;
  reject(error: ChatError): void;
}

export const NOBODY: Waiter = { resolve: () => undefined, reject: () => undefined };

/** Returns a promise whose ends go to `add`. */
export function waiting<Value = void>(add: (waiter: Waiter<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    add({ resolve, reject });
  });
}
