export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Time until all matched visitors have confirmed, in a crowd on a busy machine: an unconfirmed match falls through.
 * Milliseconds.
 */
export const CONFIRMED_MS = 2_000;

/** Interval between two checks. Milliseconds. */
const LOOK_MS = 20;

/**
 * Waits until `isSo`, and returns whether it came true. Gives up after as many looks as fit into the time on an idle
 * machine: a busy one, where each look is late, has more time in proportion.
 */
export async function comesTrue(isSo: () => boolean, withinMs: number): Promise<boolean> {
  for (let looks = 0; !isSo(); looks++) {
    if (looks * LOOK_MS > withinMs) return false;
    await pause(LOOK_MS);
  }
  return true;
}
