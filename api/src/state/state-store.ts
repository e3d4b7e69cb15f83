import type { Agreed, ConversationId, EndReason, FindReply, ResumeToken, SessionState } from '@passerby/sdk/protocol';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { RepairedKind } from '../domain/repaired-kinds.ts';
import type { Correction, LocalView, Notice } from '../domain/notice.ts';
import type { SessionLocation, Seat, SessionRef } from '../domain/session.ts';
import type { VisitorFingerprint } from '../domain/visitor-fingerprint.ts';
import type { MatchRules } from '../matching/rules.ts';
import type { Ticket } from '../matching/ticket.ts';

/** Result of a transition that has nothing to answer but what others must be told. */
export interface Transition {
  readonly notices: readonly Notice[];
}

/** Result of what a visitor asked, as of a revision. */
export interface Answered extends Transition {
  readonly revision: number;
}

/** The two sides of a conversation, for a report. */
export interface Reported {
  /** The peer's, as they were last seen in it. */
  readonly peer: VisitorFingerprint;
  /** The asker's, as they were when the two met: the same however they have moved since. */
  readonly own: VisitorFingerprint;
  /** True if the clients of both sides said that they have the match. */
  readonly isConfirmed: boolean;
}

export interface OpenOutcome {
  readonly session: SessionRef;
}

export type ResumeOutcome =
  /** The token was good: the session lives on here; the socket that held it before (maybe on another node) must go. */
  | {
      readonly kind: 'resumed';
      readonly session: SessionRef;
      readonly state: SessionState;
      readonly agreed: Agreed;
      readonly seat: Seat | null;
      /** The revision at which the conversation of the seat started; 0 without one, and where revisions are. */
      readonly seatedAt: number;
      readonly previous: SessionLocation;
      readonly notices: readonly Notice[];
    }
  /** The token was never made, is void by now, or its session is over. All the same to the caller. */
  | { readonly kind: 'unknown' };

export interface FindOutcome extends Transition {
  readonly status: FindReply['status'];
}

export interface CancelOutcome extends Answered {
  readonly status: 'cancelled' | 'already_matched';
}

export interface LeaveOutcome extends Answered {
  readonly next: FindReply['status'] | null;
}

export interface SweepOutcome extends Transition {
  /** True if more is due than one sweep may do. */
  readonly isMore: boolean;
  /** True if nothing was done, since another node does it at present. */
  readonly isElsewhere: boolean;
}

/** `isMore`: something was put right, so there may be more of it. */
export interface RepairOutcome extends SweepOutcome {
  /** Number of entries that were put right, of the kinds of which some were. */
  readonly mended: Readonly<Partial<Record<RepairedKind, number>>>;
  /** True if the numbers of entries do not fit each other: something is lost, wherever it may be. */
  readonly areCountsAtOdds: boolean;
}

/**
 * All shared state, changed by atomic transitions. Every method refuses with `session_gone` for a
 * session that is unknown or whose fence is old, and with `unavailable` when the outcome is unknown;
 * every method may then be called again with the same arguments.
 */
export interface StateStore {
  readonly kind: 'memory' | 'redis';

  /** A new session of this site, held by this node. */
  open(site: SiteId, nodeId: NodeId, resume: ResumeToken, fingerprint: VisitorFingerprint): Promise<OpenOutcome>;
  /**
   * Hands the session of a token to this node, under the token `next`. The one presented stays good until
   * `next` is known to have arrived (`settle`), since a client that never got it comes back with the one it
   * has; any other is void from here on. Of several calls with one token the last one has the session.
   */
  resume(
    site: SiteId,
    nodeId: NodeId,
    presented: ResumeToken,
    next: ResumeToken,
    rules: MatchRules,
    fingerprint: VisitorFingerprint,
  ): Promise<ResumeOutcome>;
  /** The visitor has the present token: the one before it is void. Does nothing for an old fence. */
  settle(session: SessionRef): Promise<void>;
  /** The session's connection is gone: it keeps its place and conversation for the grace period, and is matched with nobody. Does nothing for an old fence. */
  suspend(session: SessionRef): Promise<Transition>;
  /**
   * Notes what the visitor agreed to; what is absent stays as it was. Refuses `age_band_fixed` if the
   * session has another band. Returns all that holds now.
   */
  agree(session: SessionRef, agreed: Partial<Agreed>): Promise<Agreed>;
  /** Forgets the session and ends what it was in. Does nothing for an old fence. */
  close(session: SessionRef): Promise<Transition>;

  /** Waits, or is matched at once. The same `requestId` again is the same wait; another one keeps the place. Refuses `already_in_conversation`. */
  find(session: SessionRef, ticket: Ticket, rules: MatchRules): Promise<FindOutcome>;
  cancel(session: SessionRef): Promise<CancelOutcome>;
  /** Ends the conversation if it still runs, and with `next` waits again in the same step. */
  leave(
    session: SessionRef,
    conversationId: ConversationId,
    next: Ticket | null,
    rules: MatchRules,
  ): Promise<LeaveOutcome>;
  /** This side's client has the match. Once both have, it stands; until then it lapses after `confirmMs`. Does nothing for another conversation. */
  confirm(session: SessionRef, conversationId: ConversationId): Promise<Transition>;
  /** Never again, in either direction. Refuses `not_in_conversation` unless this is the session's present or last conversation. */
  block(session: SessionRef, conversationId: ConversationId): Promise<Answered>;
  /** Returns the peer of a conversation, until `TIMES.reportMs` after its end. Refuses `not_in_conversation` for any other. */
  reported(session: SessionRef, conversationId: ConversationId): Promise<Reported>;
  /** Ends a conversation for both sides, for a reason of the service's. Does nothing if it is over. */
  end(site: SiteId, conversationId: ConversationId, reason: EndReason): Promise<Transition>;

  /**
   * Does what is due on a site, at most `max` of each: matches that were not confirmed fall through
   * (whoever confirmed is back in the queue with their place), waiters whose step changed are looked at
   * again, sessions whose grace is over are closed, sessions of dead nodes are away. Idempotent; only
   * the node that holds the site's sweep lease does anything.
   */
  sweep(site: SiteId, nodeId: NodeId, rules: MatchRules, max: number): Promise<SweepOutcome>;
  /**
   * Puts right what a loss of keys or entries left at odds, at most some `max` entries of each kind a call: conversations and
   * waits of sessions that are gone end, and what is there is listed again where it can be found. There may be more
   * to do where something was done. Changes nothing where nothing was lost. Only the node that holds the site's sweep lease does anything.
   */
  repair(site: SiteId, nodeId: NodeId, max: number): Promise<RepairOutcome>;
  /** Renews the lease of a node that has visitors of the site. */
  heartbeat(site: SiteId, nodeId: NodeId): Promise<void>;
  /**
   * Returns corrections of a node's views. Notices may be lost on their way; comparing is how a node learns what they
   * said. A store in the node's own process has nothing to correct.
   */
  compare(site: SiteId, held: readonly LocalView[]): Promise<readonly Correction[]>;
  /** At most `max` sessions that count as connected to this node, in order of their ids, from after one on (`null`: from the first). Empty for a store in the node's own process. */
  placed(site: SiteId, nodeId: NodeId, after: SessionId | null, max: number): Promise<readonly SessionRef[]>;
  /** Returns the status of a wait; `null` for a visitor who does not wait. */
  survey(session: SessionRef): Promise<Survey | null>;
  /** Connected sessions of a site. */
  online(site: SiteId): Promise<number>;
}

/** Status of a wait. */
export interface Survey {
  readonly waitedMs: number;
  /** Median of the site's recent waits that ended in a match; `null` before there were enough. Milliseconds. */
  readonly typicalWaitMs: number | null;
  /**
   * Number of different networks (`networkOf`) that others wait from, the asker's own left out, as far as `SURVEYED` goes;
   * and of those from which somebody waits with whom the asker shares no language, though both named some.
   */
  readonly networks: number;
  readonly otherLanguageNetworks: number;
}
