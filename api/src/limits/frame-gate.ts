import type { Clock } from '../clock.ts';
import type { SessionId } from '../state/state-store.ts';
import type { SessionAllowances } from './session-allowances.ts';

/** What a client sends again at once after it was throttled: all it has under way (`windowFrames` of the SDK). */
const RESENT_FRAMES = 32;

/** Tells a visitor to send again after that time. Milliseconds. */
export type TellThrottled = (sessionId: SessionId, retryAfterMs: number) => void;

/**
 * Lets through as many frames as a session may send. Who sends too many messages is told once, and until
 * the time they were told is over none gets through: then there is room for all that they have under way,
 * in order. Frames without a number may be lost, and are without a word.
 */
export class FrameGate {
  readonly #allowances: SessionAllowances;
  readonly #clock: Clock;
  readonly #tell: TellThrottled;
  readonly #closedUntil = new Map<SessionId, number>();

  constructor(allowances: SessionAllowances, clock: Clock, tell: TellThrottled) {
    this.#allowances = allowances;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Whether this frame may be passed on. */
  admits(sessionId: SessionId, isNumbered: boolean): boolean {
    if (!isNumbered) return this.#allowances.take('frames', sessionId);
    const now = this.#clock();
    if ((this.#closedUntil.get(sessionId) ?? 0) > now) return false;
    if (this.#allowances.take('frames', sessionId) && this.#allowances.take('messages', sessionId)) return true;
    this.#close(sessionId, now);
    return false;
  }

  #close(sessionId: SessionId, now: number): void {
    for (const [id, until] of this.#closedUntil) if (until <= now) this.#closedUntil.delete(id);
    const waits = (['frames', 'messages'] as const).map((name) =>
      this.#allowances.msUntil(RESENT_FRAMES, name, sessionId),
    );
    const retryAfterMs = Math.max(...waits);
    this.#closedUntil.set(sessionId, now + retryAfterMs);
    this.#tell(sessionId, retryAfterMs);
  }
}
