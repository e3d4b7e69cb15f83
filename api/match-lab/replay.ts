import { FINGERPRINT } from '../test/fingerprints.ts';
import type { ConversationId, RequestId, ResumeToken } from '@passerby/sdk/protocol';
import { intersection } from '../src/matching/distance.ts';
import { stepAt } from '../src/matching/expansions.ts';
import type { MatchRules } from '../src/matching/rules.ts';
import { type Ticket, ticketFrom } from '../src/matching/ticket.ts';
import type { IdSource } from '../src/domain/id-source.ts';
import { MemoryStore } from '../src/state/memory/memory-store.ts';
import type { NodeId, SessionId, SiteId } from '../src/domain/ids.ts';
import type { Notice } from '../src/domain/notice.ts';
import type { SessionRef } from '../src/domain/session.ts';
import { Agenda } from './agenda.ts';
import type { Mood, Visitor } from './visitors.ts';

/** One search, from its request to the match that was confirmed or to giving up. */
export interface Search {
  readonly cohort: string;
  /** Virtual time. */
  readonly beganMs: number;
  readonly waitedMs: number;
  readonly isMet: boolean;
}

/** One match that both sides confirmed. */
export interface Match {
  /** Virtual time. */
  readonly atMs: number;
  /** Step by which the two were judged: that of the one who had waited longer. */
  readonly step: number;
  readonly sharedInterests: number;
  readonly nearness: 'page' | 'section' | 'site';
  /** True if the two had met within `repeatMs`. */
  readonly isRepeat: boolean;
}

/** Events of a site's visitors. */
export interface Replay {
  readonly visitors: number;
  /** Visitors who had at least one conversation. */
  readonly met: number;
  readonly searches: readonly Search[];
  readonly matches: readonly Match[];
  /** Matches that one side or both did not confirm. */
  readonly lapsed: number;
  /** Entries that remain in the store when all visitors have left: none. */
  readonly leftBehind: number;
}

const SITE = 'site_match_lab' as SiteId;
const NODE = 'n_match_lab' as NodeId;
/** As in the service. */
const SWEEP_MS = 1_000;
const SWEEP_MAX = 500;

/** Replays the arrivals of visitors on a site with these rules: the store of the service, on a virtual clock. */
export async function replay(visitors: readonly Visitor[], rules: MatchRules): Promise<Replay> {
  const site = new Site(rules);
  return site.run(visitors);
}

/** Visitor who is present. */
interface Person {
  readonly visitor: Visitor;
  readonly session: SessionRef;
  /** Number of searches they began. */
  searchCount: number;
  mood: Mood;
  search: { readonly since: number; readonly ticket: Ticket } | null;
  conversationId: ConversationId | null;
  hasMet: boolean;
}

/** Match until both sides have confirmed it. */
interface Claim {
  readonly sides: readonly [Person, Person];
  readonly match: Match;
  confirmed: number;
}

class Site {
  readonly #agenda = new Agenda();
  readonly #rules: MatchRules;
  readonly #store = new MemoryStore(() => this.#agenda.nowMs, countedIds());
  readonly #present = new Map<SessionId, Person>();
  readonly #claims = new Map<ConversationId, Claim>();
  readonly #peers = new Map<ConversationId, Claim['sides']>();
  readonly #metAt = new Map<string, number>();
  readonly #searches: Search[] = [];
  readonly #matches: Match[] = [];
  #met = 0;
  #lapsed = 0;
  #requests = 0;

  constructor(rules: MatchRules) {
    this.#rules = rules;
  }

  async run(visitors: readonly Visitor[]): Promise<Replay> {
    for (const [n, visitor] of visitors.entries()) this.#agenda.at(visitor.arrivesMs, () => this.#arrive(visitor, n));
    this.#agenda.at(SWEEP_MS, () => this.#sweep());
    await this.#agenda.run();
    return {
      visitors: visitors.length,
      met: this.#met,
      searches: this.#searches,
      matches: this.#matches,
      lapsed: this.#lapsed,
      leftBehind: Object.values(this.#store.sizes()).reduce((sum, size) => sum + size, 0),
    };
  }

  async #arrive(visitor: Visitor, n: number): Promise<void> {
    const { session } = await this.#store.open(SITE, NODE, `r_${n}` as ResumeToken, FINGERPRINT);
    const mood = visitor.mood(0);
    const person: Person = {
      visitor,
      session,
      searchCount: 0,
      mood,
      search: null,
      conversationId: null,
      hasMet: false,
    };
    this.#present.set(session.sessionId, person);
    await this.#look(person);
  }

  /** Begins a search; a running conversation is skipped in the same step. */
  async #look(person: Person, skipped: ConversationId | null = null): Promise<void> {
    const ticket = ticketFrom({ requestId: `request-${++this.#requests}` as RequestId, ...person.visitor.criteria });
    const search = { since: this.#agenda.nowMs, ticket };
    person.mood = person.visitor.mood(person.searchCount++);
    person.search = search;
    this.#agenda.after(person.mood.patienceMs, () => this.#giveUp(person, search));
    const { notices } =
      skipped === null
        ? await this.#store.find(person.session, ticket, this.#rules)
        : await this.#store.leave(person.session, skipped, ticket, this.#rules);
    this.#tell(notices);
  }

  async #giveUp(person: Person, search: Person['search']): Promise<void> {
    if (person.search !== search || search === null || person.conversationId !== null) return;
    this.#count(person, this.#agenda.nowMs, false);
    await this.#store.cancel(person.session);
    await this.#go(person);
  }

  #count({ visitor, search }: Person, endedMs: number, isMet: boolean): void {
    const beganMs = search!.since;
    this.#searches.push({ cohort: visitor.cohort, beganMs, waitedMs: endedMs - beganMs, isMet });
  }

  async #go(person: Person): Promise<void> {
    if (!this.#present.delete(person.session.sessionId)) return;
    person.search = null;
    if (person.hasMet) this.#met += 1;
    this.#tell((await this.#store.close(person.session)).notices);
  }

  async #sweep(): Promise<void> {
    this.#tell((await this.#store.sweep(SITE, NODE, this.#rules, SWEEP_MAX)).notices);
    if (!this.#agenda.isEmpty || this.#present.size > 0) this.#agenda.after(SWEEP_MS, () => this.#sweep());
  }

  #tell(notices: readonly Notice[]): void {
    for (const notice of notices) {
      const person = this.#present.get(notice.to.sessionId);
      if (notice.kind === 'started')
        this.#start(notice.seat.conversationId, person!, this.#present.get(notice.seat.peer.sessionId)!);
      else if (notice.kind === 'ended') this.#end(notice, person);
    }
  }

  /** Called twice, once for each side; the first call creates the pending match. */
  #start(id: ConversationId, person: Person, peer: Person): void {
    person.conversationId = id;
    if (!this.#claims.has(id))
      this.#claims.set(id, { sides: [person, peer], match: this.#match(person, peer), confirmed: 0 });
    const { confirmsAfterMs } = person.mood;
    if (confirmsAfterMs !== null) this.#agenda.after(confirmsAfterMs, () => this.#confirm(person, id));
  }

  #match(person: Person, peer: Person): Match {
    const [one, other] = [person.search!, peer.search!];
    const now = this.#agenda.nowMs;
    const [a, b] = [one.ticket, other.ticket];
    return {
      atMs: now,
      step: stepAt(this.#rules.expansions, now - Math.min(one.since, other.since)),
      sharedInterests: intersection(a.interests, b.interests).length,
      nearness: a.topic === b.topic ? 'page' : a.section === b.section ? 'section' : 'site',
      isRepeat: (this.#metAt.get(pairOf(person, peer)) ?? Number.NEGATIVE_INFINITY) > now - this.#rules.repeatMs,
    };
  }

  async #confirm(person: Person, id: ConversationId): Promise<void> {
    this.#tell((await this.#store.confirm(person.session, id)).notices);
    const claim = this.#claims.get(id);
    if (claim === undefined || ++claim.confirmed < claim.sides.length) return;
    this.#claims.delete(id);
    this.#peers.set(id, claim.sides);
    this.#matches.push(claim.match);
    for (const side of claim.sides) {
      this.#count(side, claim.match.atMs, true);
      side.hasMet = true;
      side.search = null;
    }
    const [one, other] = claim.sides;
    const leaver = one.mood.staysMs <= other.mood.staysMs ? one : other;
    this.#agenda.after(leaver.mood.staysMs, () => this.#leave(leaver, id));
  }

  async #leave(person: Person, id: ConversationId): Promise<void> {
    if (person.mood.isGoingOn) return this.#look(person, id);
    this.#tell((await this.#store.leave(person.session, id, null, this.#rules)).notices);
    await this.#go(person);
  }

  #end({ conversationId: id, reason }: Extract<Notice, { kind: 'ended' }>, person: Person | undefined): void {
    const sides = this.#peers.get(id);
    if (sides !== undefined) {
      this.#peers.delete(id);
      this.#metAt.set(pairOf(...sides), this.#agenda.nowMs);
    } else if (this.#claims.delete(id)) this.#lapsed += 1;
    if (person?.conversationId !== id) return;
    person.conversationId = null;
    const { search } = person;
    if (reason === 'you_left') return;
    // A page that was gone at the match is gone for good; who waited for it is back in the queue with their place.
    if (search !== null && reason === 'peer_left') return this.#agenda.after(0, () => this.#go(person));
    if (search !== null)
      return this.#agenda.at(search.since + person.mood.patienceMs, () => this.#giveUp(person, search));
    this.#agenda.after(person.mood.pausesMs, () => (person.mood.isGoingOn ? this.#look(person) : this.#go(person)));
  }
}

function pairOf(a: Person, b: Person): string {
  return [a.session.sessionId, b.session.sessionId].sort().join(' ');
}

function countedIds(): IdSource {
  let count = 0;
  const next = (prefix: string) => prefix + String(++count);
  return {
    session: () => next('s_') as SessionId,
    conversation: () => next('c_') as ConversationId,
    resume: () => next('r_') as ResumeToken,
    node: () => NODE,
    operation: () => next(''),
  };
}
