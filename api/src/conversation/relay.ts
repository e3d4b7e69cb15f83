import { FRAME_EVENT, type Frame } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import type { FrameFault } from '../contract/frame.ts';
import type { Push } from '../push.ts';
import type { Seat, SessionId } from '../state/state-store.ts';

interface Place {
  readonly seat: Seat;
  readonly inactivityMs: number;
  isPeerAway: boolean;
  lastSaidAt: number;
}

/**
 * Carries frames between the two visitors of a conversation. It knows who sits where from the store's
 * notices and asks nobody: a frame costs no trip to a store. It keeps no frame.
 */
export class Relay {
  readonly #push: Push;
  readonly #clock: Clock;
  readonly #places = new Map<SessionId, Place>();

  constructor(push: Push, clock: Clock) {
    this.#push = push;
    this.#clock = clock;
  }

  /** This visitor of this node sits in a conversation now. */
  seat(sessionId: SessionId, seat: Seat, inactivityMs: number, isPeerAway = false): void {
    this.#places.set(sessionId, { seat, inactivityMs, isPeerAway, lastSaidAt: this.#clock() });
  }

  /** The visitor left that conversation (or this node). Nothing of it reaches them from here on. */
  unseat(sessionId: SessionId): void {
    this.#places.delete(sessionId);
  }

  seatOf(sessionId: SessionId): Seat | undefined {
    return this.#places.get(sessionId)?.seat;
  }

  /** The peer's connection went or came back, maybe elsewhere. */
  setPeer(sessionId: SessionId, peer: Seat['peer'], isAway: boolean): void {
    const place = this.#places.get(sessionId);
    if (place === undefined) return;
    this.#places.set(sessionId, { ...place, seat: { ...place.seat, peer }, isPeerAway: isAway });
  }

  /** Hands a frame to the sender's present peer, or says why not. The sender's own seat decides, the id in the frame is only a fence. */
  pass(from: SessionId, frame: Frame): Extract<FrameFault, 'not_paired' | 'peer_away'> | null {
    const place = this.#places.get(from);
    if (place?.seat.conversationId !== frame.conversationId) return 'not_paired';
    if (frame.seq > 0) this.#touch(place, from);
    if (place.isPeerAway) return 'peer_away';
    const peerId = place.seat.peer.sessionId;
    if (this.#places.get(peerId)?.seat.conversationId !== frame.conversationId) return 'peer_away';
    return this.#push.toSession(peerId, FRAME_EVENT, frame) ? null : 'peer_away';
  }

  /** Conversations of this node in which nobody said anything for their site's inactivity time. */
  silent(): Seat[] {
    const now = this.#clock();
    const seats: Seat[] = [];
    for (const place of this.#places.values()) {
      if (now - place.lastSaidAt >= place.inactivityMs) seats.push(place.seat);
    }
    return seats;
  }

  /** How many visitors sit here, for the tests that show nothing is left behind. */
  get size(): number {
    return this.#places.size;
  }

  #touch(place: Place, from: SessionId): void {
    const now = this.#clock();
    place.lastSaidAt = now;
    const peer = this.#places.get(place.seat.peer.sessionId);
    if (peer?.seat.peer.sessionId === from) peer.lastSaidAt = now;
  }
}
