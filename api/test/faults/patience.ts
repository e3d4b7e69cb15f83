export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** How often is looked. Milliseconds. */
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
