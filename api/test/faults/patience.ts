export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Until all who just met have confirmed it, in a crowd on a busy machine: a match that is not falls through. Milliseconds. */
export const CONFIRMED_MS = 2_000;

/** Interval between two looks. Milliseconds. */
const LOOK_MS = 20;

/** Waits until `isSo`, and says whether it came true in that time. */
export async function comesTrue(isSo: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > deadline) return false;
    await pause(LOOK_MS);
  }
  return true;
}
