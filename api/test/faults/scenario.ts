/** `short` is for `npm test`; `deep` uses the promised numbers. */
export type Profile = 'short' | 'deep';

/** Result of a scenario. */
export interface Outcome {
  /** Measurements as text, for one line. */
  readonly figure: string;
  /** Violated guarantees; empty if there are none. */
  readonly violations: readonly string[];
}

/** Fault during conversations, and the guarantee that must hold. */
export interface FaultScenario {
  readonly name: string;
  /** Guarantee, as a sentence. */
  readonly promise: string;
  /** Maximum duration, in each profile it has. Milliseconds. */
  readonly timeoutMs: Readonly<Partial<Record<Profile, number>>>;
  /** Starts all it needs and stops it again. The seed determines every random choice. */
  run(profile: Profile, seed: number): Promise<Outcome>;
}

/** Maximum number of violations to print. */
const SHOWN_MAX = 10;

/**
 * Checks a promise that is a time. A violation in the deep form if it took longer than promised; in the short one, which
 * must pass on a machine that is slow or busy, only if it never came true.
 */
export function withinMs(profile: Profile, what: string, tookMs: number, promisedMs: number): string[] {
  const mostMs = profile === 'deep' ? promisedMs : Number.MAX_VALUE;
  return tookMs <= mostMs ? [] : [`${what} took ${Math.round(tookMs)} ms, and may take ${promisedMs} ms`];
}

/** Returns one line, and one more for each violation. */
export function reportOf({ name }: FaultScenario, seed: number, { figure, violations }: Outcome): string {
  const more = violations.length - SHOWN_MAX;
  return [
    `${violations.length === 0 ? '✓' : '✗'} ${name} (seed ${seed}): ${figure}`,
    ...violations.slice(0, SHOWN_MAX).map((violation) => `    ${violation}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ].join('\n');
}
