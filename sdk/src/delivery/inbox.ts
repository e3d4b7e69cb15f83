import type { Frame, Run } from '../protocol/index.ts';

/** Most times a peer may lose its memory in one conversation. Each one makes us send again, so it is bounded. */
export const RUNS_MAX = 16;

/** What to do with a frame that arrived. */
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

/** How far the peer was received in order, in its present run. */
export class Inbox {
  #run: Run | null = null;
  #last = 0;
  readonly #formerRuns = new Set<Run>();

  /** Highest number received in order. */
  get last(): number {
    return this.#last;
  }

  /** `isNewRun`: the peer had another run before, so it lost its memory. */
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
