/** Distinguishes the time that is up from whatever work may resolve to. */
const TIME_UP = Symbol('time up');

/**
 * Settles as `work` does, or as `late` does if that takes longer than `ms` milliseconds. The work goes on; what becomes of
 * it then, a rejection too, is left to it.
 */
export async function within<Done, Late = never>(
  work: Promise<Done>,
  ms: number,
  late: () => Late,
): Promise<Done | Late> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<typeof TIME_UP>((resolve) => {
    timer = setTimeout(resolve, ms, TIME_UP);
  });
  try {
    const first = await Promise.race([work, timeUp]);
    return first === TIME_UP ? late() : first;
  } finally {
    clearTimeout(timer);
  }
}
