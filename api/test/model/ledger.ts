import { TIMES, type ConversationId, type EndReason, type ResumeToken } from '@passerby/sdk/protocol';
import type { MatchRules } from '../../src/matching/rules.ts';
import type { Ticket } from '../../src/matching/ticket.ts';
import { NODE_LEASE_MS } from '../../src/state/redis/keys.ts';
import type { NodeId, SiteId } from '../../src/domain/ids.ts';
import type { Notice } from '../../src/domain/notice.ts';
import type { SessionRef } from '../../src/domain/session.ts';
import { BLOCK_MS } from '../../src/state/survey.ts';

/** Invariants by their names in the specification. */
export const INVARIANTS = {
  I1: 'a visitor is in at most one conversation, and never both waiting and paired',
  I2: 'both sides agree',
  I3: 'nobody meets themselves',
  I4: 'hard rules hold both ways, and nobody is matched across sites',
  I5: 'blocked pairs are never matched',
  I6: 'a visitor waits at most once, with the place of the first time',
  I10: 'exactly one end a side, nothing after it',
  I11: 'an old fence or a void token does nothing, and no token is void before its successor has arrived',
  I13: 'counters equal what the state says',
  L1: 'at rest no two compatible visitors are both waiting',
  steps: 'nobody is matched before the step that allows it',
  alive: 'nobody is matched who is away, or whose node is dead',
  lapse: 'a match that is not confirmed lapses, and only such a one',
  presence: 'a peer hears of going and coming, and only they',
  reply: 'the reply is what the state calls for',
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** Throws with the invariant's name if it does not hold. */
export function hold(invariant: Invariant, isSo: boolean, detail: () => string): asserts isSo {
  if (!isSo) throw new Error(`${invariant} ${INVARIANTS[invariant]}: ${detail()}`);
}

export interface Wait {
  ticket: Ticket;
  readonly since: number;
  /** Number in the order of arrival. */
  readonly seq: number;
}

/** Visitor, by what they were told. */
export interface Visitor {
  readonly site: SiteId;
  readonly sessionId: SessionRef['sessionId'];
  nodeId: NodeId;
  fence: number;
  token: ResumeToken;
  /** Token presented for it, until it is known to have arrived. */
  formerToken: ResumeToken | null;
  readonly voidTokens: ResumeToken[];
  isOpen: boolean;
  awaySince: number | null;
  wait: Wait | null;
  talk: Talk | null;
  last: { id: ConversationId; peer: Visitor } | null;
}

/** Conversation, by what both were told. */
export interface Talk {
  readonly id: ConversationId;
  readonly sides: readonly [Visitor, Visitor];
  /** Waits that led to it. */
  readonly waits: readonly [Wait, Wait];
  readonly lapsesAt: number;
  readonly confirmed: Set<Visitor>;
}

type Started = Extract<Notice, { kind: 'started' }>;

/** Kind of a transition, as far as it determines its notices. */
export interface Cause {
  /** Visitors who ended what they were in, or lost it. */
  readonly by?: Visitor;
  /** Permitted end reasons. */
  readonly ends?: 'left' | EndReason | 'sweep';
  /** Visitor whose absence or return is told. */
  readonly moved?: Visitor;
  /** Visitor who searched: they are present, whatever is known of their node. */
  readonly asks?: Visitor;
}

/**
 * Records every outcome and every notice, and complains when they contradict each other or the rules. It never decides
 * a match: it only knows which are permitted.
 */
export class Ledger {
  readonly visitors: Visitor[] = [];
  readonly rules: MatchRules;
  readonly hasLeases: boolean;
  readonly now: () => number;
  /** Nodes without a heartbeat. */
  readonly silent = new Set<NodeId>();
  /** Node whose sweeps count, by site. */
  readonly sweeper = new Map<SiteId, NodeId>();
  readonly #leases = new Map<string, number>();
  readonly #blocks = new Map<string, number>();
  readonly #meetings = new Map<string, number>();
  readonly #talks = new Map<ConversationId, Talk>();
  #seq = 0;

  constructor(rules: MatchRules, now: () => number, hasLeases: boolean) {
    this.rules = rules;
    this.now = now;
    this.hasLeases = hasLeases;
  }

  refOf({ site, sessionId, fence }: Visitor): SessionRef {
    return { site, sessionId, fence };
  }

  opened(ref: SessionRef, nodeId: NodeId, token: ResumeToken): void {
    hold('I11', ref.fence === 1 && this.#by(ref.sessionId) === undefined, () => `opened as ${JSON.stringify(ref)}`);
    const { site, sessionId, fence } = ref;
    const rest = {
      formerToken: null,
      voidTokens: [],
      isOpen: true,
      awaySince: null,
      wait: null,
      talk: null,
      last: null,
    };
    this.visitors.push({ site, sessionId, nodeId, fence, token, ...rest });
    this.beat(site, nodeId);
  }

  beat(site: SiteId, nodeId: NodeId): void {
    this.#leases.set(`${site} ${nodeId}`, this.now() + NODE_LEASE_MS);
  }

  isAlive({ site, nodeId }: Visitor): boolean {
    return !this.hasLeases || this.#leases.get(`${site} ${nodeId}`)! > this.now();
  }

  /** Puts a visitor into the queue, unless they wait already; another ticket keeps the place. */
  waits(visitor: Visitor, ticket: Ticket): void {
    visitor.wait =
      visitor.wait === null ? { ticket, since: this.now(), seq: ++this.#seq } : { ...visitor.wait, ticket };
  }

  stopsWaiting(visitor: Visitor): void {
    visitor.wait = null;
  }

  goes(visitor: Visitor): void {
    visitor.awaySince = this.now();
  }

  returns(visitor: Visitor, nodeId: NodeId, presented: ResumeToken, token: ResumeToken): void {
    const other = presented === visitor.token ? visitor.formerToken : visitor.token;
    if (other !== null) visitor.voidTokens.push(other);
    visitor.awaySince = null;
    visitor.nodeId = nodeId;
    visitor.formerToken = presented;
    visitor.token = token;
    visitor.fence += 1;
    this.beat(visitor.site, nodeId);
  }

  /** Records that the present token has arrived. */
  settles(visitor: Visitor): void {
    if (visitor.formerToken !== null) visitor.voidTokens.push(visitor.formerToken);
    visitor.formerToken = null;
  }

  /** Tokens that resume a visitor's session. */
  goodTokens({ token, formerToken, isOpen }: Visitor): readonly ResumeToken[] {
    if (!isOpen) return [];
    return formerToken === null ? [token] : [token, formerToken];
  }

  closes(visitor: Visitor): void {
    hold(
      'I10',
      visitor.talk === null,
      () => `${visitor.sessionId} is gone and was not told of the end of ${visitor.talk?.id}`,
    );
    visitor.isOpen = false;
    visitor.wait = null;
  }

  blocks(a: Visitor, b: Visitor): void {
    this.#blocks.set(pairOf(a, b), this.now());
  }

  confirms(visitor: Visitor): void {
    visitor.talk?.confirmed.add(visitor);
  }

  isGraceOver({ awaySince }: Visitor): boolean {
    return awaySince !== null && this.now() - awaySince >= TIMES.graceMs;
  }

  /** Records the effects of a sweep beside its notices: called before these are read. */
  sweepBegins(site: SiteId): {
    readonly lost: readonly Visitor[];
    readonly lapsing: readonly Talk[];
    readonly cut: ReadonlySet<Visitor>;
  } {
    const lost = this.openOn(site).filter((visitor) => this.isGraceOver(visitor));
    const lapsing = [...this.#talks.values()].filter(
      ({ sides: [{ site: of }], confirmed, lapsesAt }) => of === site && confirmed.size < 2 && lapsesAt <= this.now(),
    );
    const cut = new Set(this.openOn(site).filter((visitor) => visitor.awaySince === null && !this.isAlive(visitor)));
    for (const visitor of cut) this.goes(visitor);
    return { lost, lapsing, cut };
  }

  sweepEnds({ lost, lapsing }: ReturnType<Ledger['sweepBegins']>): void {
    for (const { id } of lapsing) hold('lapse', !this.#talks.has(id), () => `${id} still runs`);
    for (const visitor of lost) this.closes(visitor);
  }

  openOn(site: SiteId): readonly Visitor[] {
    return this.visitors.filter((visitor) => visitor.isOpen && visitor.site === site);
  }

  /** Reads the notices of one transition in their order. */
  read(notices: readonly Notice[], cause: Cause, cut: ReadonlySet<Visitor> = new Set()): void {
    const startsOf = new Map<ConversationId, Started>();
    const endsOf = new Map<ConversationId, Visitor[]>();
    for (const notice of notices) {
      const to = this.#by(notice.to.sessionId);
      hold('reply', to !== undefined && to.isOpen, () => `a notice for ${notice.to.sessionId}, who is not there`);
      hold(
        'presence',
        notice.to.nodeId === to.nodeId && notice.to.site === to.site,
        () => `told on the wrong node: ${JSON.stringify(notice)}`,
      );
      if (notice.kind === 'started') {
        const { conversationId } = notice.seat;
        const first = startsOf.get(conversationId);
        if (first === undefined) startsOf.set(conversationId, notice);
        else {
          startsOf.delete(conversationId);
          this.#starts([first, notice], cause);
        }
      } else if (notice.kind === 'ended') {
        const told = endsOf.get(notice.conversationId) ?? [];
        endsOf.set(notice.conversationId, [...told, to]);
        this.#ends(to, notice, cause);
      } else {
        const peer = this.#by(notice.peer.sessionId)!;
        hold('presence', to.talk?.id === notice.conversationId, () => `of a conversation ${to.sessionId} is not in`);
        hold('presence', peerIn(to.talk!, to) === peer, () => `of ${peer.sessionId}, who is not the peer`);
        hold('presence', cause.moved === peer || cut.has(peer), () => `${peer.sessionId} neither went nor came`);
        hold(
          'presence',
          (notice.presence === 'here') === (peer.awaySince === null),
          () => `${peer.sessionId} is not ${notice.presence}`,
        );
        hold('presence', notice.peer.nodeId === peer.nodeId, () => `${peer.sessionId} is not on ${notice.peer.nodeId}`);
      }
    }
    for (const id of startsOf.keys()) hold('I2', false, () => `${id} started for one side only`);
    for (const [id, told] of endsOf)
      hold('I10', told.length === 2, () => `${id} ended for ${told.length} side(s) only`);
  }

  #starts(notices: readonly [Started, Started], { asks }: Cause): void {
    const seats = notices.map(({ seat }) => seat);
    const sides = notices.map(({ to }) => this.#by(to.sessionId)!) as [Visitor, Visitor];
    const [a, b] = sides;
    const id = seats[0]!.conversationId;
    const told = () => JSON.stringify(notices);
    hold('I3', a !== b && sides.every(({ sessionId }, n) => seats[n]!.peer.sessionId !== sessionId), told);
    for (const [n, other] of [b, a].entries()) {
      const { peer } = seats[n]!;
      hold('I2', peer.sessionId === other.sessionId && peer.nodeId === other.nodeId, told);
    }
    hold('I2', seats[0]!.role !== seats[1]!.role, told);
    hold(
      'I2',
      JSON.stringify([...seats[0]!.shared.interests].sort()) === JSON.stringify([...seats[1]!.shared.interests].sort()),
      told,
    );
    for (const side of sides) {
      hold('I1', side.talk === null, () => `${side.sessionId} is in ${side.talk?.id} and starts ${id}`);
      hold('I1', side.wait !== null, () => `${side.sessionId} was matched and did not wait`);
      hold('alive', side.awaySince === null, () => `${side.sessionId} is away and was matched`);
      hold('alive', side === asks || this.isAlive(side), () => `${side.sessionId} was found on a dead node`);
    }
    hold('I2', !this.#talks.has(id), () => `${id} started twice`);
    const waits: [Wait, Wait] = [a.wait!, b.wait!];
    this.mayMeet(a, b, (invariant, why) => hold(invariant, false, () => `${a.sessionId} met ${b.sessionId}: ${why}`));
    const common = waits[0].ticket.interests.filter((interest) => waits[1].ticket.interests.includes(interest));
    hold('I4', JSON.stringify([...common].sort()) === JSON.stringify([...seats[0]!.shared.interests].sort()), told);
    const talk: Talk = { id, sides, waits, lapsesAt: this.now() + this.rules.confirmMs, confirmed: new Set() };
    this.#talks.set(id, talk);
    for (const side of sides) {
      side.wait = null;
      side.talk = talk;
      side.last = { id, peer: peerIn(talk, side) };
    }
  }

  #ends(to: Visitor, { conversationId, reason }: Extract<Notice, { kind: 'ended' }>, { by, ends }: Cause): void {
    const { talk } = to;
    hold(
      'I10',
      talk?.id === conversationId,
      () => `${to.sessionId} is told of the end of ${conversationId} and is in ${talk?.id ?? 'none'}`,
    );
    hold('I10', ends !== undefined, () => `${conversationId} ended without a reason to`);
    let expected: EndReason;
    if (ends === 'sweep') {
      const isLost = talk!.sides.some((side) => this.isGraceOver(side));
      const isLapsed = talk!.confirmed.size < 2 && talk!.lapsesAt <= this.now();
      hold('lapse', isLapsed || isLost, () => `${conversationId} ended with nothing due`);
      if (isLapsed) expected = talk!.confirmed.has(to) ? 'unconfirmed' : 'peer_left';
      else expected = this.isGraceOver(to) ? 'you_left' : 'peer_lost';
      // Both may be lost in one sweep: the second to go was told of the first.
      if (!isLapsed && talk!.sides.every((side) => this.isGraceOver(side)) && reason === 'peer_lost')
        expected = 'peer_lost';
      if (isLapsed && talk!.confirmed.has(to)) to.wait = talk!.waits[talk!.sides.indexOf(to)]!;
      if (!isLapsed) this.#meetings.set(pairOf(...talk!.sides), this.now());
    } else {
      expected = ends === 'left' ? (to === by ? 'you_left' : 'peer_left') : ends!;
      this.#meetings.set(pairOf(...talk!.sides), this.now());
    }
    hold('I10', reason === expected, () => `${to.sessionId} was told ${reason}, not ${expected}`);
    to.talk = null;
    if (talk!.sides.every((side) => side.talk !== talk)) this.#talks.delete(conversationId);
  }

  /** Returns the rule that forbids a match of two waiting visitors now, if any. */
  mayMeet(a: Visitor, b: Visitor, complain: (invariant: Invariant, why: string) => void = () => undefined): boolean {
    const against = this.#against(a, b);
    if (against !== null) complain(...against);
    return against === null;
  }

  #against(a: Visitor, b: Visitor): [Invariant, string] | null {
    const [x, y] = [a.wait!.ticket, b.wait!.ticket];
    const { rules } = this;
    const now = this.now();
    if (a.site !== b.site) return ['I4', 'other sites'];
    if (x.ageBand !== y.ageBand) return ['I4', 'other age bands'];
    const isSought = (seeks: readonly string[], is: string | null) =>
      seeks.length === 0 || seeks.some((group) => group === is);
    if (!isSought(x.seeks, y.is) || !isSought(y.seeks, x.is)) return ['I4', 'not sought'];
    const isApart = (one: readonly string[], two: readonly string[]) =>
      one.length > 0 && two.length > 0 && new Set([...one, ...two]).size === one.length + two.length;
    const areLanguagesApart = isApart(x.languages, y.languages);
    if (rules.isLanguageHard && areLanguagesApart) return ['I4', 'no common language'];
    if ((this.#blocks.get(pairOf(a, b)) ?? -Infinity) > now - BLOCK_MS) return ['I5', 'blocked'];
    const waited = now - Math.min(a.wait!.since, b.wait!.since);
    const step = rules.expansions.findLast(({ afterMs }) => afterMs <= waited)!;
    if (step.reach === 'topic' && x.topic !== y.topic) return ['steps', 'other topics'];
    if (step.reach === 'section' && x.topic !== y.topic && (x.section === null || x.section !== y.section))
      return ['steps', 'other sections'];
    if (step.isInterestNeeded && isApart(x.interests, y.interests)) return ['steps', 'no common interest'];
    if (step.isLanguageNeeded && areLanguagesApart) return ['steps', 'no common language'];
    const hasMet = (this.#meetings.get(pairOf(a, b)) ?? -Infinity) > now - rules.repeatMs;
    if (hasMet && !step.isRepeatAllowed) return ['steps', 'met a short while ago'];
    return null;
  }

  /** Returns whether a visitor can be found: in the queue, present, on a living node. */
  isFindable(visitor: Visitor): boolean {
    return visitor.isOpen && visitor.wait !== null && visitor.awaySince === null && this.isAlive(visitor);
  }

  #by(sessionId: string): Visitor | undefined {
    return this.visitors.find((visitor) => visitor.sessionId === sessionId);
  }
}

export function peerIn(talk: Talk, side: Visitor): Visitor {
  return talk.sides[0] === side ? talk.sides[1] : talk.sides[0];
}

function pairOf(...sides: readonly Visitor[]): string {
  return sides
    .map(({ sessionId }) => sessionId)
    .sort()
    .join(' ');
}
