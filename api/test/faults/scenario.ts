/** `short` fits into `npm test`; `deep` takes the numbers that are promised. */
export type Profile = 'short' | 'deep';

/** What a scenario showed. */
export interface Outcome {
  /** The figures in words, for one line. */
  readonly figure: string;
  /** What was promised and did not hold; empty if all did. */
  readonly violations: readonly string[];
}

/** Something that goes wrong while visitors talk, and what must hold all the same. */
export interface FaultScenario {
  readonly name: string;
  /** What must hold, as a sentence that goes on after the name. */
  readonly promise: string;
  /** Maximum time that it may take, in each profile it has. Milliseconds. */
  readonly timeoutMs: Readonly<Partial<Record<Profile, number>>>;
  /** Starts all it needs and stops it again. The seed decides everything that is left to chance here. */
  run(profile: Profile, seed: number): Promise<Outcome>;
}

/** Too many to read are as good as few. */
const SHOWN_MAX = 10;

/**
 * Checks a promise that is a time. A violation in the deep form if it took longer than promised; in the short one, which
 * must pass on a machine that is slow or busy, only if it never came true.
 */
export function withinMs(profile: Profile, what: string, tookMs: number, promisedMs: number): string[] {
  const mostMs = profile === 'deep' ? promisedMs : Number.MAX_VALUE;
  return tookMs <= mostMs ? [] : [`${what} took ${Math.round(tookMs)} ms, and may take ${promisedMs} ms`];
}

/** One line, and one more for each violation. */
export function reportOf({ name }: FaultScenario, seed: number, { figure, violations }: Outcome): string {
  const more = violations.length - SHOWN_MAX;
  return [
    `${violations.length === 0 ? '✓' : '✗'} ${name} (seed ${seed}): ${figure}`,
    ...violations.slice(0, SHOWN_MAX).map((violation) => `    ${violation}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ].join('\n');
}
