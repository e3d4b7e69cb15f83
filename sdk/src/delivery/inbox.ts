import type { Frame, Run } from '../protocol/index.ts';

/**
 * Most numberings a peer may go through in one conversation: one for each time it, or this side, lost
 * its memory. Each makes both sides send again, so it is bounded.
 */
export const RUNS_MAX = 16;

/** Decision about a frame that arrived. */
export type Arrival =
  /** The next one in order: show it. */
  | 'next'
  /** Seen before: our acknowledgement may have been lost. */
  | 'repeat'
  /** One before it is missing: drop it and ask for the rest. */
  | 'gap'
  /** Unnumbered: take it or leave it. */
  | 'unnumbered'
  /** From a run that is over, or one too many: drop it. */
  | 'stale';

/** An inbox as plain data, to be taken up again after a reload. */
export interface PersistedInbox {
  readonly run: Run | null;
  readonly last: number;
  readonly formerRuns: readonly Run[];
}

/** Number up to which the peer was received in order, in its present run. */
export class Inbox {
  #run: Run | null;
  #last: number;
  readonly #formerRuns: Set<Run>;

  constructor({ run, last, formerRuns }: PersistedInbox = { run: null, last: 0, formerRuns: [] }) {
    this.#run = run;
    this.#last = last;
    this.#formerRuns = new Set(formerRuns);
  }

  /** The peer's present run; `null` before anything was heard. */
  get run(): Run | null {
    return this.#run;
  }

  /** Highest number received in order. */
  get last(): number {
    return this.#last;
  }

  get kept(): PersistedInbox {
    return { run: this.#run, last: this.#last, formerRuns: [...this.#formerRuns] };
  }

  /** `isNewRun`: the peer had another run before. */
  accept(frame: Frame): { readonly arrival: Arrival; readonly isNewRun: boolean } {
    let isNewRun = false;
    if (frame.run !== this.#run) {
      if (this.#formerRuns.has(frame.run) || this.#formerRuns.size >= RUNS_MAX) return { arrival: 'stale', isNewRun };
      if (this.#run !== null) {
        this.#formerRuns.add(this.#run);
        isNewRun = true;
      }
      this.#run = frame.run;
      this.#last = 0;
    }
    return { arrival: this.#place(frame.seq), isNewRun };
  }

  #place(seq: number): Arrival {
    if (seq === 0) return 'unnumbered';
    if (seq <= this.#last) return 'repeat';
    if (seq > this.#last + 1) return 'gap';
    this.#last = seq;
    return 'next';
  }
}
