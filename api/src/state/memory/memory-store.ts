import {
  TIMES,
  type Agreed,
  type ConversationId,
  type EndReason,
  type RequestId,
  type ResumeToken,
  type SessionState,
} from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../../clock.ts';
import { Refusal } from '../../errors.ts';
import { bySeniority, choose } from '../../matching/choose.ts';
import { hasCommonOrNone, intersection } from '../../matching/distance.ts';
import { nextDueAt } from '../../matching/expansions.ts';
import type { MatchRules } from '../../matching/rules.ts';
import type { Ticket } from '../../matching/ticket.ts';
import type { IdSource } from '../../domain/id-source.ts';
import type { NodeId, SessionId, SiteId } from '../../domain/ids.ts';
import type { Correction, Notice } from '../../domain/notice.ts';
import type { SessionLocation, Seat, SessionRef } from '../../domain/session.ts';
import type { VisitorFingerprint } from '../../domain/visitor-fingerprint.ts';
import type {
  Answered,
  CancelOutcome,
  FindOutcome,
  LeaveOutcome,
  OpenOutcome,
  RepairOutcome,
  Reported,
  ResumeOutcome,
  StateStore,
  Survey,
  SweepOutcome,
  Transition,
} from '../state-store.ts';
import { networkOf } from '../../domain/visitor-fingerprint.ts';
import { BLOCK_MS, mayBeForeign, SURVEYED, TYPICAL_WAIT, typicalOf } from '../survey.ts';
import { countAround, WaitingQueue, type WaitingVisitor } from './waiting-queue.ts';
import { PairMemory } from './pair-memory.ts';
import { Parties } from './parties.ts';

interface Wait extends WaitingVisitor {
  /** When the next step is due, Unix milliseconds; `null` when all are reached. */
  dueAt: number | null;
}

interface Conversation {
  readonly id: ConversationId;
  readonly seats: readonly [first: Session, second: Session];
  /** Their waits, to give back if the match falls through; `null` once both have confirmed. */
  claim: { readonly waits: readonly [Wait, Wait]; readonly confirmed: Set<Session>; readonly lapsesAt: number } | null;
  readonly shared: Seat['shared'];
}

interface Session {
  readonly id: SessionId;
  readonly site: Site;
  nodeId: NodeId;
  fence: number;
  mark: VisitorFingerprint;
  agreed: Agreed;
  token: ResumeToken;
  /** The token presented for it, while nobody knows whether it has arrived. */
  formerToken: ResumeToken | null;
  /** When the connection went; `null` while it lives. */
  awaySince: number | null;
  wait: Wait | null;
  conversation: Conversation | null;
  /** The last conversation and who it was with: a block works after the end too. */
  last: { readonly id: ConversationId; readonly peerId: SessionId } | null;
  /** The ticket that led to the running conversation: asking again with its id is answered `matched`. */
  matchedBy: RequestId | null;
}

type EndNotice = Extract<Notice, { kind: 'ended' }>;

interface Site {
  readonly id: SiteId;
  readonly line: WaitingQueue;
  readonly waiting: Map<SessionId, Session>;
  readonly conversations: Map<ConversationId, Conversation>;
  readonly sessions: Map<SessionId, Session>;
  /** Oldest first: sessions go to the end when their connection goes. */
  readonly away: Map<SessionId, Session>;
  readonly blocks: PairMemory;
  readonly meetings: PairMemory;
  readonly parties: Parties;
  /** Lengths of the last waits that ended in a match, milliseconds. */
  readonly recentWaits: number[];
  seq: number;
}

/**
 * Everything in this process's memory: the embedded default. Each transition runs to its end before the
 * next starts, so it is atomic by construction; nothing outlives the process.
 */
export class MemoryStore implements StateStore {
  readonly kind = 'memory';
  readonly #clock: MonotonicClock;
  readonly #ids: IdSource;
  readonly #byToken = new Map<ResumeToken, Session>();
  readonly #sites = new Map<SiteId, Site>();

  constructor(clock: MonotonicClock, ids: IdSource) {
    this.#clock = clock;
    this.#ids = ids;
  }

  async open(siteId: SiteId, nodeId: NodeId, resume: ResumeToken, mark: VisitorFingerprint): Promise<OpenOutcome> {
    const site = this.#site(siteId);
    const session: Session = {
      id: this.#ids.session(),
      site,
      nodeId,
      fence: 1,
      mark,
      agreed: { rules: null, ageBand: null },
      token: resume,
      formerToken: null,
      awaySince: null,
      wait: null,
      conversation: null,
      last: null,
      matchedBy: null,
    };
    site.sessions.set(session.id, session);
    this.#byToken.set(resume, session);
    return { session: refOf(session) };
  }

  async resume(
    siteId: SiteId,
    nodeId: NodeId,
    presented: ResumeToken,
    next: ResumeToken,
    rules: MatchRules,
    mark: VisitorFingerprint,
  ): Promise<ResumeOutcome> {
    const session = this.#byToken.get(presented);
    if (session?.site.id !== siteId || this.#isGraceOver(session)) return { kind: 'unknown' };
    const previous = addressOf(session);
    this.#void(presented === session.token ? session.formerToken : session.token);
    this.#byToken.set(next, session);
    session.site.away.delete(session.id);
    session.formerToken = presented;
    session.token = next;
    session.fence += 1;
    session.nodeId = nodeId;
    session.mark = mark;
    if (session.conversation !== null) session.site.parties.moved(session.conversation.id, session.id, mark);
    session.awaySince = null;
    const notices = presenceNotices(session);
    if (session.wait !== null) notices.push(...this.#wait(session, session.wait, rules));
    return {
      kind: 'resumed',
      session: refOf(session),
      state: this.#stateOf(session),
      agreed: session.agreed,
      seat: session.conversation === null ? null : seatOf(session.conversation, session),
      seatedAt: 0,
      previous,
      notices,
    };
  }

  async settle(ref: SessionRef): Promise<void> {
    const session = this.#current(ref);
    if (session === null) return;
    this.#void(session.formerToken);
    session.formerToken = null;
  }

  async suspend(ref: SessionRef): Promise<Transition> {
    const session = this.#current(ref);
    if (session === null || session.awaySince !== null) return { notices: [] };
    session.awaySince = this.#clock();
    session.site.away.set(session.id, session);
    this.#outOfLine(session);
    return { notices: presenceNotices(session) };
  }

  async close(ref: SessionRef): Promise<Transition> {
    const session = this.#current(ref);
    return { notices: session === null ? [] : this.#forget(session, 'peer_left') };
  }

  async agree(ref: SessionRef, agreed: Partial<Agreed>): Promise<Agreed> {
    const session = this.#require(ref);
    const { ageBand } = session.agreed;
    if (ageBand !== null && agreed.ageBand !== undefined && agreed.ageBand !== ageBand) {
      throw new Refusal('age_band_fixed');
    }
    session.agreed = { ...session.agreed, ...agreed };
    return session.agreed;
  }

  async find(ref: SessionRef, ticket: Ticket, rules: MatchRules): Promise<FindOutcome> {
    return this.#find(this.#require(ref), ticket, rules);
  }

  async cancel(ref: SessionRef): Promise<CancelOutcome> {
    const session = this.#require(ref);
    if (session.conversation !== null) return { status: 'already_matched', revision: 0, notices: [] };
    this.#stopWaiting(session);
    return { status: 'cancelled', revision: 0, notices: [] };
  }

  async leave(ref: SessionRef, id: ConversationId, next: Ticket | null, rules: MatchRules): Promise<LeaveOutcome> {
    const session = this.#require(ref);
    const conversation = session.conversation;
    const notices = conversation?.id === id ? this.#end(conversation, session, 'you_left') : [];
    if (next === null) return { next: null, revision: 0, notices };
    const found = this.#find(session, next, rules);
    return { next: found.status, revision: 0, notices: [...notices, ...found.notices] };
  }

  async confirm(ref: SessionRef, id: ConversationId): Promise<Transition> {
    const session = this.#require(ref);
    const { conversation } = session;
    if (conversation?.id !== id || conversation.claim === null) return { notices: [] };
    conversation.claim.confirmed.add(session);
    if (conversation.claim.confirmed.size === conversation.seats.length) {
      conversation.claim = null;
      session.site.parties.confirmed(id);
    }
    return { notices: [] };
  }

  async block(ref: SessionRef, id: ConversationId): Promise<Answered> {
    const session = this.#require(ref);
    const { conversation, last, site } = session;
    if (last?.id !== id) throw new Refusal('not_in_conversation');
    site.blocks.remember(session.id, last.peerId, this.#clock());
    return { revision: 0, notices: conversation?.id === id ? this.#end(conversation, session, 'you_left') : [] };
  }

  async reported(ref: SessionRef, id: ConversationId): Promise<Reported> {
    const session = this.#require(ref);
    const reported = session.site.parties.reportedBy(session.id, id, this.#clock() - TIMES.reportMs);
    if (reported === undefined) throw new Refusal('not_in_conversation');
    return reported;
  }

  async end(siteId: SiteId, id: ConversationId, reason: EndReason): Promise<Transition> {
    const conversation = this.#sites.get(siteId)?.conversations.get(id);
    return { notices: conversation === undefined ? [] : this.#end(conversation, null, reason) };
  }

  async sweep(siteId: SiteId, _nodeId: NodeId, rules: MatchRules, max: number): Promise<SweepOutcome> {
    const site = this.#sites.get(siteId);
    if (site === undefined) return { notices: [], isMore: false, isElsewhere: false };
    const now = this.#clock();
    site.blocks.forget(now - BLOCK_MS);
    site.meetings.forget(now - rules.repeatMs);
    site.parties.forget(now - TIMES.reportMs);
    return {
      notices: [
        ...this.#lapseClaims(site, rules, now, max),
        ...this.#closeLost(site, max),
        ...this.#expand(site, rules, now, max),
      ],
      isMore: this.#isAnythingDue(site, now),
      isElsewhere: false,
    };
  }

  /** Nothing is ever lost of a store in this process's own memory. */
  async repair(): Promise<RepairOutcome> {
    return { notices: [], isMore: false, isElsewhere: false, mended: {}, areCountsAtOdds: false };
  }

  /** The one node of a store in memory is this process: it lives while it runs. */
  async heartbeat(): Promise<void> {}

  async compare(): Promise<readonly Correction[]> {
    return [];
  }

  async placed(): Promise<readonly SessionRef[]> {
    return [];
  }

  async survey(ref: SessionRef): Promise<Survey | null> {
    const session = this.#require(ref);
    const { wait, site } = session;
    if (wait === null) return null;
    return {
      waitedMs: this.#clock() - wait.since,
      typicalWaitMs: typicalOf(site.recentWaits),
      ...networksAround(session, wait, mayBeForeign(countAround(site.line, wait.ticket))),
    };
  }

  async online(siteId: SiteId): Promise<number> {
    const site = this.#sites.get(siteId);
    return site === undefined ? 0 : site.sessions.size - site.away.size;
  }

  /** How much is held, for the tests that show nothing is left behind. */
  sizes() {
    const sizes = {
      sessions: 0,
      tokens: this.#byToken.size,
      away: 0,
      sites: this.#sites.size,
      waiting: 0,
      inLine: 0,
      conversations: 0,
    };
    for (const site of this.#sites.values()) {
      sizes.sessions += site.sessions.size;
      sizes.away += site.away.size;
      sizes.waiting += site.waiting.size;
      sizes.inLine += site.line.size;
      sizes.conversations += site.conversations.size;
    }
    return sizes;
  }

  #find(session: Session, ticket: Ticket, rules: MatchRules): FindOutcome {
    if (session.conversation !== null) {
      if (session.matchedBy === ticket.requestId) return { status: 'matched', notices: [] };
      throw new Refusal('already_in_conversation');
    }
    const { site, wait } = session;
    const place = wait ?? { since: this.#clock(), seq: ++site.seq };
    const next: Wait = { ...place, sessionId: session.id, ticket, dueAt: null };
    // A request that was under way when the connection went.
    const notices = session.awaySince === null ? this.#wait(session, next, rules) : this.#keepWait(session, next);
    return { status: session.conversation === null ? 'waiting' : 'matched', notices };
  }

  /** Puts a session in line (again, or with other words) and looks for somebody who fits now. */
  #wait(session: Session, wait: Wait, rules: MatchRules): Notice[] {
    this.#outOfLine(session);
    session.wait = wait;
    session.site.waiting.set(session.id, session);
    wait.dueAt = nextDueAt(rules.expansions, wait.since, this.#clock());
    session.site.line.add(wait);
    return this.#match(session, wait, rules);
  }

  #match(session: Session, wait: Wait, rules: MatchRules): Notice[] {
    const { site } = session;
    const now = this.#clock();
    const found = choose(wait, site.line.candidates(wait, rules), rules, now, ({ sessionId }) => ({
      isBlocked: site.blocks.has(session.id, sessionId, now - BLOCK_MS),
      isRepeat: site.meetings.has(session.id, sessionId, now - rules.repeatMs),
    }));
    const peer = found === null ? undefined : site.sessions.get(found.sessionId);
    return peer === undefined ? [] : this.#start(peer, session, rules, now);
  }

  #start(first: Session, second: Session, rules: MatchRules, now: number): Notice[] {
    const { site } = first;
    const waits: [Wait, Wait] = [first.wait!, second.wait!];
    const [a, b] = [waits[0].ticket, waits[1].ticket];
    const conversation: Conversation = {
      id: this.#ids.conversation(),
      seats: [first, second],
      claim: { waits, confirmed: new Set(), lapsesAt: now + rules.confirmMs },
      shared: {
        interests: intersection(a.interests, b.interests),
        isSameTopic: a.topic !== null && a.topic === b.topic,
      },
    };
    site.conversations.set(conversation.id, conversation);
    site.parties.met(
      conversation.id,
      conversation.seats.map(({ id, mark }) => ({ sessionId: id, mark })),
    );
    for (const { since } of waits) site.recentWaits.push(now - since);
    site.recentWaits.splice(0, Math.max(0, site.recentWaits.length - TYPICAL_WAIT.ofLast));
    return conversation.seats.map((session) => {
      session.matchedBy = session.wait!.ticket.requestId;
      this.#stopWaiting(session);
      session.conversation = conversation;
      session.last = { id: conversation.id, peerId: peerOf(conversation, session).id };
      return { kind: 'started', revision: 0, to: addressOf(session), seat: seatOf(conversation, session) };
    });
  }

  /** Ends a conversation; `by` is the side that left, or `null` when the service ended it for both. */
  #end(
    conversation: Conversation,
    by: Session | null,
    reason: EndReason,
    peerReason: EndReason = 'peer_left',
  ): EndNotice[] {
    const [first, second] = conversation.seats;
    first.site.conversations.delete(conversation.id);
    first.site.parties.ended(conversation.id, this.#clock());
    if (reason !== 'unconfirmed') first.site.meetings.remember(first.id, second.id, this.#clock());
    return conversation.seats.map((session) => {
      session.conversation = null;
      session.matchedBy = null;
      return {
        kind: 'ended',
        revision: 0,
        to: addressOf(session),
        conversationId: conversation.id,
        reason: by === null || by === session ? reason : peerReason,
      };
    });
  }

  /** Matches that were not confirmed in time fall through; who confirmed is back in line with their place. */
  #lapseClaims(site: Site, rules: MatchRules, now: number, max: number): Notice[] {
    const notices: Notice[] = [];
    let left = max;
    // Oldest first: claims lapse in the order in which they were made.
    for (const conversation of site.conversations.values()) {
      const { claim } = conversation;
      if (claim === null) continue;
      if (claim.lapsesAt > now || left-- === 0) break;
      this.#end(conversation, null, 'unconfirmed').forEach((notice, index) => {
        const isBack = claim.confirmed.has(conversation.seats[index]!);
        notices.push(isBack ? notice : { ...notice, reason: 'peer_left' });
      });
      conversation.seats.forEach((session, index) => {
        if (claim.confirmed.has(session)) notices.push(...this.#giveBack(session, claim.waits[index]!, rules));
      });
    }
    return notices;
  }

  #giveBack(session: Session, wait: Wait, rules: MatchRules): Notice[] {
    return session.awaySince === null ? this.#wait(session, wait, rules) : this.#keepWait(session, wait);
  }

  /** The place of somebody who is away: out of line until they come back. */
  #keepWait(session: Session, wait: Wait): Notice[] {
    session.wait = wait;
    session.site.waiting.set(session.id, session);
    return [];
  }

  #isAnythingDue(site: Site, now: number): boolean {
    const [longestAway] = site.away.values();
    if (longestAway !== undefined && this.#isGraceOver(longestAway)) return true;
    return hasLapsed(site, now) || dueIn(site, now).length > 0;
  }

  #closeLost(site: Site, max: number): Notice[] {
    const notices: Notice[] = [];
    let left = max;
    for (const session of site.away.values()) {
      if (left-- === 0 || !this.#isGraceOver(session)) break;
      notices.push(...this.#forget(session, 'peer_lost'));
    }
    return notices;
  }

  /** Looks again at waiters whose step changed, so that two who fit only now meet without a third arriving. */
  #expand(site: Site, rules: MatchRules, now: number, max: number): Notice[] {
    const notices: Notice[] = [];
    const due = dueIn(site, now)
      .sort((a, b) => a.dueAt! - b.dueAt!)
      .slice(0, max)
      .sort(bySeniority);
    for (const wait of due) {
      const session = site.sessions.get(wait.sessionId);
      // An earlier one of this round may have met them.
      if (session?.wait !== wait) continue;
      wait.dueAt = nextDueAt(rules.expansions, wait.since, now);
      notices.push(...this.#match(session, wait, rules));
    }
    return notices;
  }

  #forget(session: Session, peerReason: EndReason): Notice[] {
    const { site, conversation } = session;
    const notices = conversation === null ? [] : this.#end(conversation, session, 'you_left', peerReason);
    this.#stopWaiting(session);
    site.sessions.delete(session.id);
    site.away.delete(session.id);
    this.#void(session.token);
    this.#void(session.formerToken);
    if (site.sessions.size === 0) this.#sites.delete(site.id);
    return notices;
  }

  #void(token: ResumeToken | null): void {
    if (token !== null) this.#byToken.delete(token);
  }

  #stopWaiting(session: Session): void {
    this.#outOfLine(session);
    session.wait = null;
    session.site.waiting.delete(session.id);
  }

  #outOfLine(session: Session): void {
    if (session.wait !== null) session.site.line.remove(session.wait);
  }

  #stateOf(session: Session): SessionState {
    if (session.conversation !== null) {
      const { peer: _, ...conversation } = seatOf(session.conversation, session);
      const isAway = peerOf(session.conversation, session).awaySince !== null;
      return { status: 'chatting', conversation, peer: isAway ? 'away' : 'here' };
    }
    if (session.wait !== null) return { status: 'waiting', waitingForMs: this.#clock() - session.wait.since };
    return { status: 'idle' };
  }

  #isGraceOver(session: Session): boolean {
    return session.awaySince !== null && this.#clock() - session.awaySince >= TIMES.graceMs;
  }

  #site(id: SiteId): Site {
    let site = this.#sites.get(id);
    if (site === undefined) {
      site = {
        id,
        line: new WaitingQueue(),
        waiting: new Map(),
        conversations: new Map(),
        sessions: new Map(),
        away: new Map(),
        blocks: new PairMemory(),
        meetings: new PairMemory(),
        parties: new Parties(),
        recentWaits: [],
        seq: 0,
      };
      this.#sites.set(id, site);
    }
    return site;
  }

  #current(ref: SessionRef): Session | null {
    const session = this.#sites.get(ref.site)?.sessions.get(ref.sessionId);
    return session?.fence === ref.fence ? session : null;
  }

  #require(ref: SessionRef): Session {
    const session = this.#current(ref);
    if (session === null) throw new Refusal('session_gone');
    return session;
  }
}

/** Claims lapse in the order in which they were made: the first tells. */
function hasLapsed({ conversations }: Site, now: number): boolean {
  for (const { claim } of conversations.values()) if (claim !== null) return claim.lapsesAt <= now;
  return false;
}

/** Those in line whose next step is due. */
function dueIn(site: Site, now: number): Wait[] {
  return [...site.waiting.values()].flatMap(({ wait, awaySince }) =>
    wait?.dueAt == null || wait.dueAt > now || awaySince !== null ? [] : [wait],
  );
}

/**
 * Different networks of those in line with the session, its own left out. Once there are enough, the line is looked at
 * further only if somebody in it may speak another language (`isAnyForeign`).
 */
function networksAround({ site, mark }: Session, { ticket }: Wait, isAnyForeign: boolean) {
  const { networksMax, waitersMax } = SURVEYED;
  const own = networkOf(mark);
  const [networks, otherLanguage] = [new Set<string>(), new Set<string>()];
  for (const waiter of site.line.oldest(ticket.ageBand, waitersMax)) {
    if (otherLanguage.size === networksMax || (!isAnyForeign && networks.size === networksMax)) break;
    const other = site.sessions.get(waiter.sessionId);
    const network = other === undefined ? own : networkOf(other.mark);
    if (network === own) continue;
    networks.add(network);
    if (!hasCommonOrNone(ticket.languages, waiter.ticket.languages)) otherLanguage.add(network);
  }
  return { networks: Math.min(networks.size, networksMax), otherLanguageNetworks: otherLanguage.size };
}

function peerOf(conversation: Conversation, session: Session): Session {
  const [first, second] = conversation.seats;
  return first === session ? second : first;
}

function seatOf(conversation: Conversation, session: Session): Seat {
  return {
    conversationId: conversation.id,
    role: conversation.seats[0] === session ? 'offerer' : 'answerer',
    shared: conversation.shared,
    peer: addressOf(peerOf(conversation, session)),
  };
}

function presenceNotices(session: Session): Notice[] {
  const conversation = session.conversation;
  if (conversation === null) return [];
  return [
    {
      kind: 'presence',
      revision: 0,
      to: addressOf(peerOf(conversation, session)),
      conversationId: conversation.id,
      presence: session.awaySince === null ? 'here' : 'away',
      peer: addressOf(session),
    },
  ];
}

function addressOf(session: Session): SessionLocation {
  return { site: session.site.id, sessionId: session.id, nodeId: session.nodeId };
}

function refOf(session: Session): SessionRef {
  return { site: session.site.id, sessionId: session.id, fence: session.fence };
}
