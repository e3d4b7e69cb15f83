import { assertNever } from '../internal/assert-never.ts';
import { monotonicNow } from '../internal/clock.ts';
import { Timer } from '../internal/timer.ts';
import {
  type ConversationId,
  type Frame,
  isUnnumbered,
  LIMITS,
  type Run,
  TIMES,
  type UnknownBody,
} from '../protocol/index.ts';
import { type Arrival, Inbox, type PersistedInbox } from './inbox.ts';
import { type PersistedOutbox, Outbox, type OutboxEntry } from './outbox.ts';

export const CHANNEL = {
  /** Unacknowledged frames go again after this, then after twice as long, and so on. Well above a round trip and `TIMES.ackDelayMs`. */
  resendMs: 2_000,
  resendCapMs: 16_000,
} as const;

/** One end as plain data, to be taken up again after a reload. */
export interface PersistedChannel {
  readonly run: Run;
  readonly isResyncing: boolean;
  readonly outbox: PersistedOutbox;
  readonly inbox: PersistedInbox;
}

/**
 * Memory of this end: nothing, because the conversation begins; what was kept; or nothing any more of
 * a conversation that runs, because it could not be kept.
 */
export type ChannelOrigin = 'new' | 'lost' | PersistedChannel;

/** Path that carries frames to the peer, or loses them. */
export interface FramePath {
  /** Sends a frame now or not at all. */
  send(frame: Frame): void;
}

/** Storage that outlives the page. It reads the state of the channel, `kept`, when it writes. */
export interface DurableStore {
  /** Schedules a write, since `kept` has changed. */
  markDirty(): void;
  /** Writes what has changed since the last write, if anything. */
  flush(): void;
}

export interface ReliableChannelParts {
  readonly conversationId: ConversationId;
  readonly memory: ChannelOrigin;
  /** A numbering never used before. */
  readonly newRun: () => Run;
  readonly path: FramePath;
  /** Written before each frame that leaves, so that a reload loses nothing that was sent or acknowledged. */
  readonly store: DurableStore;
  /** A numbered body: each exactly once, in the peer's order. */
  readonly receive: (body: UnknownBody) => void;
  /** An unnumbered body, of a kind that may be; a bare acknowledgement is not among them. */
  readonly receiveUnnumbered: (body: UnknownBody) => void;
  /** The peer acknowledged these, for the first time, in order. */
  readonly acknowledged: (entries: readonly OutboxEntry[]) => void;
}

/**
 * Makes a path that may lose and repeat frames deliver every numbered body exactly once and in order,
 * as long as both ends live. Knows numbers and bodies, not what carries them.
 *
 * An end that lost its memory takes a new run and resyncs: it says so, again and again, and takes nothing
 * until the peer answers that run. The peer, seeing it, numbers what it still has to deliver from 1 in a
 * new run of its own, so that no frame and no acknowledgement of before can be taken for one of after.
 */
export class ReliableChannel {
  readonly #parts: ReliableChannelParts;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  /** This side's numbering. */
  #run: Run;
  #isResyncing: boolean;
  readonly #ackTimer = new Timer();
  readonly #resendTimer = new Timer();
  /** While it runs nothing numbered is sent, whatever becomes of the path. */
  readonly #pauseTimer = new Timer();
  #pausedUntil = 0;
  #isUp = false;
  /** Number of the next frame to put on the path. */
  #next: number;
  #resends = 0;
  #isClosed = false;

  constructor(parts: ReliableChannelParts) {
    this.#parts = parts;
    const kept = typeof parts.memory === 'string' ? null : parts.memory;
    this.#outbox = new Outbox(kept?.outbox);
    this.#inbox = new Inbox(kept?.inbox);
    this.#run = kept?.run ?? parts.newRun();
    this.#isResyncing = kept?.isResyncing ?? parts.memory === 'lost';
    this.#next = this.#outbox.first;
  }

  get kept(): PersistedChannel {
    return { run: this.#run, isResyncing: this.#isResyncing, outbox: this.#outbox.kept, inbox: this.#inbox.kept };
  }

  get isFull(): boolean {
    return this.#outbox.isFull;
  }

  /** Delivers a body, as soon as there is a path. Not when `isFull`. */
  post(entry: OutboxEntry): void {
    this.#outbox.add(entry);
    this.#parts.store.markDirty();
    this.#pump();
  }

  /** Milliseconds until something numbered may be sent again; 0 when it may. */
  get pausedForMs(): number {
    return this.#pauseTimer.isRunning ? Math.max(1, this.#pausedUntil - monotonicNow()) : 0;
  }

  /** Stops sending for a time, since too much was sent at once and may be lost; then sends all that is unacknowledged. */
  pause(forMs: number): void {
    if (this.#isClosed || forMs <= this.pausedForMs) return;
    this.#pausedUntil = monotonicNow() + forMs;
    this.#resendTimer.stop();
    this.#pauseTimer.start(forMs, () => {
      this.#resends = 0;
      if (this.#isUp) this.#sendAgain();
    });
  }

  /** Sends a body that may be lost. */
  postUnnumbered(body: UnknownBody): void {
    if (this.#isUp && !this.#pauseTimer.isRunning) this.#sendFrame(0, body);
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
  receive(frame: Frame): void {
    const isAnswer = frame.peerRun === this.#run;
    // It was meant for an end that is no more: for who we were, or from who the peer was.
    const isForFormer = frame.peerRun !== undefined && frame.run !== this.#inbox.run;
    if (!isAnswer && isForFormer) return;
    const { run } = this.#inbox;
    const hasResynced = this.#isResyncing && isAnswer;
    if (hasResynced) this.#isResyncing = false;
    // A resyncing end learns the peer's run from it, to be able to answer a peer that is resyncing too.
    const { arrival, isNewRun } = this.#inbox.accept(this.#isResyncing ? { ...frame, seq: 0 } : frame);
    if (hasResynced || arrival === 'next' || run !== this.#inbox.run) this.#parts.store.markDirty();
    if (arrival === 'stale') return;
    const acknowledged = this.#outbox.first - 1;
    // With nothing acknowledged, the numbers begin with the 1 it expects.
    const hasForgotten = isNewRun && acknowledged > 0 && (!isAnswer || frame.ack < acknowledged);
    if (hasForgotten) this.#startAnew();
    else if (isAnswer) this.#takeAck(frame.ack);
    // The peer has not heard of our run: it may be waiting for nothing else.
    else this.#scheduleAck();
    if (!this.#isResyncing) this.#handOn(arrival, frame.body);
    // After the body: a frame that leaves acknowledges it, so it has to be in what is stored before.
    this.#pump();
  }

  /**
   * The end: no timer stays. What the peer never acknowledged remains in `unacknowledged`; what we
   * owe the peer goes out first, or it would take a message we have seen for undelivered.
   */
  close(): void {
    if (this.#ackTimer.isRunning) this.#sendFrame(0, { kind: 'ack' });
    this.abandon();
  }

  /** No timer stays, and nothing more is sent. */
  abandon(): void {
    this.#isClosed = true;
    this.#pauseTimer.stop();
    this.down();
  }

  get unacknowledged(): readonly OutboxEntry[] {
    return this.#outbox.entries;
  }

  #handOn(arrival: Exclude<Arrival, 'stale'>, body: UnknownBody): void {
    switch (arrival) {
      case 'unnumbered':
        // Only some kinds may be unnumbered, whatever the sender says.
        if (isUnnumbered(body.kind) && body.kind !== 'ack') this.#parts.receiveUnnumbered(body);
        return;
      case 'next':
        this.#scheduleAck();
        this.#parts.receive(body);
        return;
      case 'repeat':
      case 'gap':
        this.#scheduleAck();
        return;
      default:
        assertNever(arrival);
    }
  }

  #takeAck(ack: number): void {
    // A peer cannot have received what was never sent.
    if (ack >= this.#next) return;
    const done = this.#outbox.acknowledge(ack);
    if (done.length === 0) return;
    this.#resends = 0;
    this.#resendTimer.stop();
    this.#parts.store.markDirty();
    this.#parts.acknowledged(done);
  }

  /** The peer lost its memory: it expects number 1 next. */
  #startAnew(): void {
    this.#run = this.#parts.newRun();
    this.#outbox.renumber();
    this.#next = 1;
    this.#resends = 0;
    this.#resendTimer.stop();
    this.#parts.store.markDirty();
    // Even with nothing to send again, the peer must hear that its new run is known, and how far it was received.
    this.#scheduleAck();
  }

  #sendAgain(): void {
    if (this.#pauseTimer.isRunning) return;
    this.#next = this.#outbox.first;
    this.#resendTimer.stop();
    if (this.#isResyncing) this.#sendFrame(0, { kind: 'ack' });
    this.#pump();
  }

  #pump(): void {
    if (!this.#isUp || this.#isClosed || this.#pauseTimer.isRunning) return;
    const windowEnd = Math.min(this.#outbox.last, this.#outbox.first + LIMITS.windowFrames - 1);
    for (const { seq, body } of this.#outbox.slice(this.#next, windowEnd - this.#next + 1)) {
      this.#next = seq + 1;
      this.#sendFrame(seq, body);
    }
    if ((this.#next > this.#outbox.first || this.#isResyncing) && !this.#resendTimer.isRunning) this.#scheduleResend();
  }

  #scheduleResend(): void {
    const delayMs = Math.min(CHANNEL.resendCapMs, CHANNEL.resendMs * 2 ** this.#resends);
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
    const { conversationId, path, store } = this.#parts;
    const { run: peerRun, last: ack } = this.#inbox;
    const base = { conversationId, run: this.#run, seq, ack, body };
    store.flush();
    path.send(peerRun === null ? base : { ...base, peerRun });
  }
}
