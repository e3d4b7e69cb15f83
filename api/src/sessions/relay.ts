import { FRAME_EVENT, type ConversationId, type Frame } from '@passerby/sdk/protocol';
import type { NodeBus } from '../cluster/node-bus.ts';
import type { MonotonicClock } from '../clock.ts';
import { type FrameFault, isNumberMissing } from '../contract/frame.ts';
import type { NodeId, SessionId } from '../domain/ids.ts';
import type { Seat } from '../domain/session.ts';
import type { Counter } from '../observability/counter-family.ts';
import type { Metrics } from '../observability/metrics.ts';
import { HeardPeers } from './heard-peers.ts';
import type { LocalSession, LocalSessions } from './local-sessions.ts';

/** Reasons for which the relay drops a frame. */
export type RelayFault = Extract<FrameFault, 'not_paired' | 'peer_away' | 'unnumbered'>;

/**
 * Carries frames between the two visitors of a conversation. It learns from the store's notices who sits where, so that
 * a frame costs no access to a store. It keeps no frame.
 */
export class Relay {
  readonly #local: LocalSessions;
  readonly #clock: MonotonicClock;
  readonly #bus: NodeBus;
  readonly #nodeId: NodeId;
  readonly #heardPeers: HeardPeers;
  /** Frames passed on to visitors of this node, and to other nodes. */
  readonly #passed: Readonly<Record<'local' | 'remote', Counter>>;

  constructor(parts: {
    readonly local: LocalSessions;
    readonly clock: MonotonicClock;
    readonly bus: NodeBus;
    readonly nodeId: NodeId;
    readonly metrics: Metrics;
  }) {
    this.#local = parts.local;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#nodeId = parts.nodeId;
    this.#heardPeers = new HeardPeers(parts.clock);
    this.#passed = parts.metrics.countersBy('passerby_frames_total', 'path');
  }

  /** Seats a visitor of this node in a conversation. */
  seat(session: LocalSession, seat: Seat, inactivityMs: number, isPeerAway = false): void {
    this.unseat(session);
    const isPeerHeard = this.#heardPeers.has(session.ref.sessionId, seat.conversationId);
    session.seating = { seat, inactivityMs, isPeerAway, isPeerHeard, lastMessageAt: this.#clock() };
  }

  /** Takes a visitor out of their conversation, or off this node. No frame of it reaches them from here on. */
  unseat(session: LocalSession): void {
    const { seating } = session;
    if (seating?.isPeerHeard) this.#heardPeers.remember(session.ref.sessionId, seating.seat.conversationId);
    session.seating = null;
  }

  /** Sets the location of a visitor's peer, whose connection ended or came back. */
  setPeer(session: LocalSession, peer: Seat['peer'], isAway: boolean): void {
    const { seating } = session;
    if (seating !== null) session.seating = { ...seating, seat: { ...seating.seat, peer }, isPeerAway: isAway };
  }

  /**
   * Passes a frame to the sender's present peer. Returns why it was dropped, `null` if it was not. The sender's own seat
   * decides; the id in the frame is only a fence.
   */
  pass({ ref, seating }: LocalSession, frame: Frame): RelayFault | null {
    if (seating?.seat.conversationId !== frame.conversationId) return 'not_paired';
    if (isNumberMissing(frame)) return 'unnumbered';
    if (frame.seq > 0) seating.lastMessageAt = this.#clock();
    if (seating.isPeerAway) return 'peer_away';
    const { peer } = seating.seat;
    if (peer.nodeId === this.#nodeId) {
      const fault = this.receive(ref.sessionId, peer.sessionId, frame);
      if (fault === null) this.#passed.local.increment();
      return fault;
    }
    this.#passed.remote.increment();
    this.#bus.send(peer.nodeId, { kind: 'frame', from: ref.sessionId, to: peer.sessionId, frame });
    return null;
  }

  /** Delivers a frame to a visitor of this node, if the sender is their present peer. Returns why it was dropped. */
  receive(from: SessionId, to: SessionId, frame: Frame): RelayFault | null {
    const session = this.#local.find(to);
    const seating = session?.seating ?? null;
    if (session === undefined || seating === null) return 'peer_away';
    const { conversationId, peer } = seating.seat;
    if (conversationId !== frame.conversationId || peer.sessionId !== from) return 'not_paired';
    // The sender's node may run a version that does not check this.
    if (isNumberMissing(frame)) return 'unnumbered';
    session.connection.push(FRAME_EVENT, frame);
    if (frame.seq > 0) {
      seating.lastMessageAt = this.#clock();
      seating.isPeerHeard = true;
    }
    return null;
  }

  /**
   * Returns whether this node delivered a message of the peer to this visitor; known until `TIMES.reportMs` after the
   * visitor left the conversation. `false` also for what another node delivered.
   */
  hasHeardPeer(sessionId: SessionId, conversationId: ConversationId): boolean {
    const seating = this.#local.find(sessionId)?.seating ?? null;
    const isSeated = seating?.seat.conversationId === conversationId;
    return (isSeated && seating.isPeerHeard) || this.#heardPeers.has(sessionId, conversationId);
  }

  /** Returns the seats of this node in conversations without a message for their site's inactivity time. */
  silent(): Seat[] {
    const now = this.#clock();
    const seats: Seat[] = [];
    for (const { seating } of this.#local.all()) {
      if (seating !== null && now - seating.lastMessageAt >= seating.inactivityMs) seats.push(seating.seat);
    }
    return seats;
  }
}
