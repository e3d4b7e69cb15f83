/** Kinds of disturbance, in the order in which they are applied. */
export const DISTURBANCES = [
  /** Reset by TCP. */
  'reset',
  /** Closed by the other end for writing, and still read by it. */
  'half-closed',
  /** Open, and dropping all data. */
  'silent',
  /** Far slower than usual. */
  'slow',
  /** Cut in the middle of an operation. */
  'failing midway',
  /** Closed and refused, then available again; several times. */
  'gone and back',
] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

/** Number of connections or repetitions of one disturbance, and its duration if it has one. */
export interface Extent {
  readonly connections: number;
  /** Milliseconds. */
  readonly lastsMs: number;
  /** Additional delay of the answers of a slow server, one after the other. Milliseconds. */
  readonly slowMs: readonly number[];
}

/** Extent in `npm test`, and in `npm run test:deep`. */
export const EXTENTS = {
  short: { connections: 8, lastsMs: 300, slowMs: [400] },
  // The second is beyond the deadline of any command of Redis (2 s) and any statement (5 s).
  deep: { connections: 100, lastsMs: 3_000, slowMs: [400, 6_000] },
} as const satisfies Record<string, Extent>;

/** A resource of the service that can be disturbed from outside. */
export interface DisturbedResource {
  readonly name: string;
  /** Applies a disturbance and lifts it. `whileDisturbed` is to be called, and awaited, while it holds. */
  disturb(disturbance: Disturbance, extent: Extent, whileDisturbed: () => Promise<void>): Promise<void>;
}
