import { monotonicNow } from '../internal/clock.ts';
import { Timer } from '../internal/timer.ts';
import { TIMES } from '../protocol/index.ts';

/** This visitor's composing, as the peer is told: on at most every `TIMES.typingEveryMs`, off once after an on. */
export class OwnTyping {
  readonly #tell: (on: boolean) => void;
  #toldAt = -Infinity;
  #isTold = false;

  constructor(tell: (on: boolean) => void) {
    this.#tell = tell;
  }

  set(on: boolean): void {
    if (on) {
      const now = monotonicNow();
      if (now - this.#toldAt < TIMES.typingEveryMs) return;
      this.#toldAt = now;
      this.#isTold = true;
      this.#tell(true);
    } else if (this.#isTold) {
      this.#isTold = false;
      this.#tell(false);
    }
  }

  /** A message was sent: the peer clears the typing itself. */
  messageSent(): void {
    this.#isTold = false;
  }
}

/** The peer's composing, forgotten `TIMES.typingForgetMs` after its last sign. */
export class PeerTyping {
  readonly #changed: (isTyping: boolean) => void;
  readonly #forget = new Timer();

  constructor(changed: (isTyping: boolean) => void) {
    this.#changed = changed;
  }

  get isTyping(): boolean {
    return this.#forget.isRunning;
  }

  set(on: boolean): void {
    const wasTyping = this.isTyping;
    if (on) {
      this.#forget.start(TIMES.typingForgetMs, () => {
        this.#changed(false);
      });
    } else {
      this.#forget.stop();
    }
    if (wasTyping !== on) this.#changed(on);
  }

  /** The end: no timer stays, nothing is told. */
  close(): void {
    this.#forget.stop();
  }
}
