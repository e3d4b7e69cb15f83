import type { UnknownBody } from '../protocol/index.ts';

/** Most frames that may wait for the peer's acknowledgement. Bounds memory while the peer is away. */
export const OUTBOX_MAX = 200;

/** A body on its way. `key` names what it is (a message's id) and stays when the numbering starts anew. */
export interface OutboxEntry {
  readonly key: string;
  readonly body: UnknownBody;
}

/** A frame's number and content, ready to be sent. */
export interface Numbered extends OutboxEntry {
  readonly seq: number;
}

/** An outbox as plain data, to be taken up again after a reload. */
export interface PersistedOutbox {
  readonly acknowledged: number;
  readonly entries: readonly OutboxEntry[];
}

/** Frames that the peer has not acknowledged yet, in order. Numbers are 1, 2, 3 …; the content never changes. */
export class Outbox {
  #entries: OutboxEntry[];
  /** Highest acknowledged number. */
  #acknowledged: number;

  constructor({ acknowledged, entries }: PersistedOutbox = { acknowledged: 0, entries: [] }) {
    this.#acknowledged = acknowledged;
    this.#entries = [...entries];
  }

  get kept(): PersistedOutbox {
    return { acknowledged: this.#acknowledged, entries: [...this.#entries] };
  }

  get first(): number {
    return this.#acknowledged + 1;
  }

  get last(): number {
    return this.#acknowledged + this.#entries.length;
  }

  get isFull(): boolean {
    return this.#entries.length >= OUTBOX_MAX;
  }

  get entries(): readonly OutboxEntry[] {
    return this.#entries;
  }

  add(entry: OutboxEntry): void {
    this.#entries.push(entry);
  }

  /** From number `from` on, at most `count`. */
  slice(from: number, count: number): Numbered[] {
    const start = from - this.first;
    return this.#entries.slice(start, start + count).map((entry, index) => ({ ...entry, seq: from + index }));
  }

  /** Takes out everything up to `ack` and returns it. */
  acknowledge(ack: number): OutboxEntry[] {
    if (ack < this.first) return [];
    const done = this.#entries.splice(0, ack - this.#acknowledged);
    this.#acknowledged += done.length;
    return done;
  }

  /** The peer knows nothing any more: what is left is 1, 2, 3 … again. */
  renumber(): void {
    this.#acknowledged = 0;
  }
}
