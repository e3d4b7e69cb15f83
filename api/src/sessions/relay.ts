import { FRAME_EVENT, type ConversationId, type Frame } from '@passerby/sdk/protocol';
import type { NodeBus } from '../cluster/node-bus.ts';
import type { MonotonicClock } from '../clock.ts';
import { type FrameFault, isNumberMissing } from '../contract/frame.ts';
import type { Push } from '../push.ts';
import type { NodeId, SessionId } from '../domain/ids.ts';
import type { Seat } from '../domain/session.ts';
import { HeardPeers } from './heard-peers.ts';

/** Reasons for which the relay drops a frame. */
export type RelayFault = Extract<FrameFault, 'not_paired' | 'peer_away' | 'unnumbered'>;

interface Place {
  readonly seat: Seat;
  readonly inactivityMs: number;
  isPeerAway: boolean;
  /** True if something with a number was handed to this visitor. */
  isPeerHeard: boolean;
  lastSaidAt: number;
}

/**
 * Carries frames between the two visitors of a conversation. It knows who sits where from the store's
 * notices and asks nobody: a frame costs no trip to a store. It keeps no frame.
 */
export class Relay {
  readonly #push: Push;
  readonly #clock: MonotonicClock;
  readonly #bus: NodeBus;
  readonly #nodeId: NodeId;
  readonly #places = new Map<SessionId, Place>();
  readonly #heardPeers: HeardPeers;
  /** Frames passed on so far, to visitors of this node and to other nodes. */
  readonly passed = { local: 0, remote: 0 };

  constructor(push: Push, clock: MonotonicClock, bus: NodeBus, nodeId: NodeId) {
    this.#push = push;
    this.#clock = clock;
    this.#bus = bus;
    this.#nodeId = nodeId;
    this.#heardPeers = new HeardPeers(clock);
  }

  /** This visitor of this node sits in a conversation now. */
  seat(sessionId: SessionId, seat: Seat, inactivityMs: number, isPeerAway = false): void {
    this.unseat(sessionId);
    const isPeerHeard = this.#heardPeers.has(sessionId, seat.conversationId);
    this.#places.set(sessionId, { seat, inactivityMs, isPeerAway, isPeerHeard, lastSaidAt: this.#clock() });
  }

  /** The visitor left that conversation (or this node). Nothing of it reaches them from here on. */
  unseat(sessionId: SessionId): void {
    const place = this.#places.get(sessionId);
    if (place?.isPeerHeard) this.#heardPeers.remember(sessionId, place.seat.conversationId);
    this.#places.delete(sessionId);
  }

  seatOf(sessionId: SessionId): Seat | undefined {
    return this.#places.get(sessionId)?.seat;
  }

  isPeerAway(sessionId: SessionId): boolean {
    return this.#places.get(sessionId)?.isPeerAway ?? false;
  }

  /** The peer's connection went or came back, maybe elsewhere. */
  setPeer(sessionId: SessionId, peer: Seat['peer'], isAway: boolean): void {
    const place = this.#places.get(sessionId);
    if (place === undefined) return;
    this.#places.set(sessionId, { ...place, seat: { ...place.seat, peer }, isPeerAway: isAway });
  }

  /** Hands a frame to the sender's present peer, or says why not. The sender's own seat decides, the id in the frame is only a fence. */
  pass(from: SessionId, frame: Frame): RelayFault | null {
    const place = this.#places.get(from);
    if (place?.seat.conversationId !== frame.conversationId) return 'not_paired';
    if (isNumberMissing(frame)) return 'unnumbered';
    if (frame.seq > 0) place.lastSaidAt = this.#clock();
    if (place.isPeerAway) return 'peer_away';
    const { peer } = place.seat;
    if (peer.nodeId === this.#nodeId) {
      const fault = this.receive(from, peer.sessionId, frame);
      if (fault === null) this.passed.local += 1;
      return fault;
    }
    this.passed.remote += 1;
    this.#bus.send(peer.nodeId, { kind: 'frame', from, to: peer.sessionId, frame });
    return null;
  }

  /** Hands a frame to a visitor of this node, if the sender is their present peer. */
  receive(from: SessionId, to: SessionId, frame: Frame): RelayFault | null {
    const place = this.#places.get(to);
    if (place === undefined) return 'peer_away';
    const { conversationId, peer } = place.seat;
    if (conversationId !== frame.conversationId || peer.sessionId !== from) return 'not_paired';
    // The sender's node may run a version that does not check this.
    if (isNumberMissing(frame)) return 'unnumbered';
    if (frame.seq > 0) place.lastSaidAt = this.#clock();
    if (!this.#push.toSession(to, FRAME_EVENT, frame)) return 'peer_away';
    if (frame.seq > 0) place.isPeerHeard = true;
    return null;
  }

  /**
   * Returns whether something the peer said was handed to this visitor by this node; known until `TIMES.reportMs` after the
   * visitor left the conversation. `false` also for what another node handed over.
   */
  hasHeardPeer(sessionId: SessionId, conversationId: ConversationId): boolean {
    const place = this.#places.get(sessionId);
    const isSeated = place?.seat.conversationId === conversationId;
    return (isSeated && place.isPeerHeard) || this.#heardPeers.has(sessionId, conversationId);
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

  /** Number of visitors that sit here, for the tests that show nothing is left behind. */
  get size(): number {
    return this.#places.size;
  }
}
