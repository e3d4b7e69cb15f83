import { Timer } from '../internal/timer.ts';
import { type ConversationId, type Frame, type Run, TIMES, type UnknownBody } from '../protocol/index.ts';
import { Inbox } from './inbox.ts';
import { Outbox, type OutboxEntry } from './outbox.ts';

export const LINK = {
  /** Most numbered frames under way at once; the rest follows the acknowledgements. */
  windowFrames: 32,
  /** Unacknowledged frames go again after this, then after twice as long, and so on. Well above a round trip and `TIMES.ackDelayMs`. */
  resendMs: 2_000,
  resendCapMs: 16_000,
} as const;

export interface LinkParts {
  readonly conversationId: ConversationId;
  /** This side's numbering. */
  readonly run: Run;
  /** Puts a frame on the path, now or not at all. */
  readonly send: (frame: Frame) => void;
  /** A numbered body: each exactly once, in the peer's order. */
  readonly receive: (body: UnknownBody) => void;
  /** An unnumbered body. */
  readonly receiveUnnumbered: (body: UnknownBody) => void;
  /** The peer acknowledged these, for the first time, in order. */
  readonly acknowledged: (entries: readonly OutboxEntry[]) => void;
}

/**
 * Makes a path that may lose and repeat frames deliver every numbered body exactly once and in order,
 * as long as both ends live. Knows numbers and bodies, not what carries them.
 */
export class Link {
  readonly #parts: LinkParts;
  readonly #outbox = new Outbox();
  readonly #inbox = new Inbox();
  readonly #ackTimer = new Timer();
  readonly #resendTimer = new Timer();
  #isUp = false;
  /** Number of the next frame to put on the path. */
  #next = 1;
  #resends = 0;
  #isClosed = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  get isFull(): boolean {
    return this.#outbox.isFull;
  }

  /** Delivers a body, as soon as there is a path. Not when `isFull`. */
  post(entry: OutboxEntry): void {
    this.#outbox.add(entry);
    this.#pump();
  }

  /** Sends a body that may be lost. */
  postUnnumbered(body: UnknownBody): void {
    if (this.#isUp) this.#sendFrame(0, body);
  }

  /** There is a path (again), or the peer has one again: everything unacknowledged goes once more. */
  up(): void {
    this.#isUp = true;
    this.#resends = 0;
    this.#sendAgain();
    if (this.#inbox.last > 0) this.#scheduleAck();
  }

  /** There is no path. */
  down(): void {
    this.#isUp = false;
    this.#ackTimer.stop();
    this.#resendTimer.stop();
  }

  /** A frame of this conversation arrived. */
  take(frame: Frame): void {
    const { arrival, isNewRun } = this.#inbox.accept(frame);
    if (arrival === 'stale') return;
    if (isNewRun) this.#startAnew();
    this.#takeAck(frame.ack);
    switch (arrival) {
      case 'unnumbered':
        if (frame.body.kind !== 'ack') this.#parts.receiveUnnumbered(frame.body);
        return;
      case 'next':
        this.#scheduleAck();
        this.#parts.receive(frame.body);
        return;
      case 'repeat':
      case 'gap':
        this.#scheduleAck();
    }
  }

  /**
   * The end: no timer stays. What the peer never acknowledged remains in `unacknowledged`; what we
   * owe the peer goes out first, or it would take a message we have seen for undelivered.
   */
  close(): void {
    if (this.#ackTimer.isRunning) this.#sendFrame(0, { kind: 'ack' });
    this.#isClosed = true;
    this.down();
  }

  get unacknowledged(): readonly OutboxEntry[] {
    return this.#outbox.entries;
  }

  #takeAck(ack: number): void {
    // A peer cannot have received what was never sent.
    if (ack >= this.#next) return;
    const done = this.#outbox.acknowledge(ack);
    if (done.length === 0) return;
    this.#resends = 0;
    this.#resendTimer.stop();
    this.#pump();
    this.#parts.acknowledged(done);
  }

  /** The peer lost its memory: it expects number 1 next. */
  #startAnew(): void {
    this.#outbox.renumber();
    this.#next = 1;
    this.#resends = 0;
    this.#resendTimer.stop();
    // Even with nothing to send again, the peer must learn how far it was received.
    this.#scheduleAck();
    this.#pump();
  }

  #sendAgain(): void {
    this.#next = this.#outbox.first;
    this.#resendTimer.stop();
    this.#pump();
  }

  #pump(): void {
    if (!this.#isUp || this.#isClosed) return;
    const windowEnd = Math.min(this.#outbox.last, this.#outbox.first + LINK.windowFrames - 1);
    for (const { seq, body } of this.#outbox.slice(this.#next, windowEnd - this.#next + 1)) {
      this.#next = seq + 1;
      this.#sendFrame(seq, body);
    }
    if (this.#next > this.#outbox.first && !this.#resendTimer.isRunning) this.#scheduleResend();
  }

  #scheduleResend(): void {
    const delayMs = Math.min(LINK.resendCapMs, LINK.resendMs * 2 ** this.#resends);
    this.#resendTimer.start(delayMs, () => {
      this.#resends += 1;
      this.#sendAgain();
    });
  }

  #scheduleAck(): void {
    if (!this.#isUp || this.#isClosed || this.#ackTimer.isRunning) return;
    this.#ackTimer.start(TIMES.ackDelayMs, () => {
      this.#sendFrame(0, { kind: 'ack' });
    });
  }

  /** Every frame carries the acknowledgement, so a bare one is not owed any more. */
  #sendFrame(seq: number, body: UnknownBody): void {
    this.#ackTimer.stop();
    const { conversationId, run } = this.#parts;
    this.#parts.send({ conversationId, run, seq, ack: this.#inbox.last, body });
  }
}
