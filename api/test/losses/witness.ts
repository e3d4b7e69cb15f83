import type { ConversationId, EndReason, RequestId, ResumeToken } from '@passerby/sdk/protocol';
import { ticketFrom } from '../../src/matching/ticket.ts';
import { Refusal } from '../../src/errors.ts';
import type { NodeId, SiteId } from '../../src/domain/ids.ts';
import type { Correction, LocalView, Notice } from '../../src/domain/notice.ts';
import type { SessionRef } from '../../src/domain/session.ts';
import type { StateStore } from '../../src/state/state-store.ts';
import { FREE } from '../harness.ts';
import { FINGERPRINT } from '../fingerprints.ts';
import { NODES } from '../model/world.ts';

/** Connected visitor as their node sees them, and what they were told. */
interface Believed {
  session: SessionRef;
  node: NodeId;
  token: ResumeToken;
  isHere: boolean;
  belief: Omit<LocalView, 'session'>;
  readonly ended: Set<ConversationId>;
}

const NOTHING: Believed['belief'] = { seat: null, isPeerAway: false, isWaiting: false, toldAt: 0 };

/**
 * Applies notices and corrections as nodes do, without sockets, and complains when a visitor would be told an end twice
 * or a conversation again.
 */
export class Witness {
  readonly visitors: Believed[] = [];
  readonly #store: StateStore;
  readonly #site: SiteId;
  #count = 0;

  constructor(store: StateStore, site: SiteId) {
    this.#store = store;
    this.#site = site;
  }

  async arrive(node: NodeId): Promise<void> {
    const token = this.#token();
    const { session } = await this.#store.open(this.#site, node, token, FINGERPRINT);
    this.visitors.push({ session, node, token, isHere: true, belief: NOTHING, ended: new Set() });
  }

  async find(visitor: Believed): Promise<void> {
    const ticket = ticketFrom({ requestId: `request-${++this.#count}` as RequestId });
    const outcome = await this.#asked(() => this.#store.find(visitor.session, ticket, FREE));
    if (outcome === null) return;
    this.#tell(outcome.notices);
    if (outcome.status === 'waiting' && visitor.belief.seat === null) this.#believe(visitor, { isWaiting: true });
  }

  async cancel(visitor: Believed): Promise<void> {
    const outcome = await this.#asked(() => this.#store.cancel(visitor.session));
    if (outcome === null) return;
    this.#tell(outcome.notices);
    if (outcome.status !== 'cancelled') return;
    this.#believe(visitor, { isWaiting: false, toldAt: Math.max(outcome.revision, visitor.belief.toldAt) });
  }

  async leave(visitor: Believed, doesLookOn: boolean): Promise<void> {
    const id = visitor.belief.seat?.conversationId;
    if (id === undefined) return;
    const next = doesLookOn ? ticketFrom({ requestId: `request-${++this.#count}` as RequestId }) : null;
    const outcome = await this.#asked(() => this.#store.leave(visitor.session, id, next, FREE));
    if (outcome === null) return;
    this.#tell(outcome.notices);
    this.#endNow(visitor, id, outcome.revision);
    if (outcome.next === 'waiting' && visitor.belief.seat === null) this.#believe(visitor, { isWaiting: true });
  }

  async block(visitor: Believed): Promise<void> {
    const id = visitor.belief.seat?.conversationId;
    if (id === undefined) return;
    const outcome = await this.#asked(() => this.#store.block(visitor.session, id));
    if (outcome === null) return;
    this.#tell(outcome.notices);
    this.#endNow(visitor, id, outcome.revision);
  }

  async confirm(visitor: Believed): Promise<void> {
    const id = visitor.belief.seat?.conversationId;
    if (id !== undefined) await this.#asked(() => this.#store.confirm(visitor.session, id));
  }

  /** Loses the connection. */
  async cut(visitor: Believed): Promise<void> {
    visitor.isHere = false;
    visitor.belief = NOTHING;
    this.#tell((await this.#store.suspend(visitor.session)).notices);
  }

  /** Resumes with the token, or opens a new session if it is unknown. */
  async comeBack(visitor: Believed, node: NodeId): Promise<void> {
    const next = this.#token();
    const outcome = await this.#store.resume(this.#site, node, visitor.token, next, FREE, FINGERPRINT);
    if (outcome.kind === 'unknown') {
      this.visitors.splice(this.visitors.indexOf(visitor), 1);
      return this.arrive(node);
    }
    const { session, seat, state } = outcome;
    Object.assign(visitor, { session, node, token: next, isHere: true });
    visitor.belief = {
      seat,
      isPeerAway: state.status === 'chatting' && state.peer === 'away',
      isWaiting: state.status === 'waiting',
      toldAt: 0,
    };
    // Told where they sit by coming back, whatever they were told before.
    if (seat !== null) visitor.ended.delete(seat.conversationId);
    this.#tell(outcome.notices);
  }

  async close(visitor: Believed): Promise<void> {
    this.visitors.splice(this.visitors.indexOf(visitor), 1);
    this.#tell((await this.#store.close(visitor.session)).notices);
  }

  /** Runs the round of every second: sweep, repair, and compare. */
  async round(node: NodeId): Promise<void> {
    for (let isMore = true; isMore;) {
      const swept = await this.#store.sweep(this.#site, node, FREE, 50);
      this.#tell(swept.notices);
      isMore = swept.isMore;
    }
    for (let isMore = true, calls = 1; isMore && calls <= 10; calls++) {
      const repaired = await this.#store.repair(this.#site, node, 100);
      this.#tell(repaired.notices);
      isMore = repaired.isMore;
    }
    const here = this.visitors.filter(({ isHere }) => isHere);
    const held = here.map(({ session, belief }): LocalView => ({ session, ...belief }));
    for (const correction of await this.#store.compare(this.#site, held)) {
      const at = here.findIndex(({ session }) => session.sessionId === correction.sessionId);
      const { belief } = here[at]!;
      // As the reconciler does: what was told meanwhile counts for more.
      if (held[at]!.toldAt === belief.toldAt && held[at]!.seat === belief.seat)
        await this.#correct(here[at]!, correction);
    }
    for (const each of NODES) await this.#suspendStrays(each);
  }

  async #correct(visitor: Believed, correction: Correction): Promise<void> {
    const { sessionId, revision } = correction;
    const to = { site: this.#site, sessionId, nodeId: visitor.node };
    switch (correction.kind) {
      case 'seated':
        this.#tell([{ kind: 'started', revision, to, seat: correction.seat }]);
        return this.#believe(visitor, { seat: correction.seat, isPeerAway: correction.isPeerAway });
      case 'unseated': {
        const conversationId = visitor.belief.seat!.conversationId;
        return this.#tell([{ kind: 'ended', revision, to, conversationId, reason: correction.reason }]);
      }
      case 'outlived':
        return this.#tell((await this.#store.leave(visitor.session, correction.conversationId, null, FREE)).notices);
      case 'unasked':
        return this.#tell((await this.#store.cancel(visitor.session)).notices);
      case 'idle':
      case 'away':
        await this.cut(visitor);
        return this.comeBack(visitor, visitor.node);
      case 'elsewhere':
      case 'gone':
      case 'forgotten':
        this.visitors.splice(this.visitors.indexOf(visitor), 1);
        if (correction.kind === 'forgotten') this.#tell((await this.#store.close(correction.known)).notices);
        return this.arrive(visitor.node);
    }
  }

  async #suspendStrays(node: NodeId): Promise<void> {
    for (const session of await this.#store.placed(this.#site, node, null, 1_000)) {
      const isHere = this.visitors.some((one) => one.isHere && one.session.sessionId === session.sessionId);
      if (!isHere) this.#tell((await this.#store.suspend(session)).notices);
    }
  }

  #tell(notices: readonly Notice[]): void {
    for (const notice of notices) {
      const visitor = this.visitors.find(({ session }) => session.sessionId === notice.to.sessionId);
      if (visitor?.isHere && visitor.node === notice.to.nodeId) this.#tellHere(visitor, notice);
    }
  }

  #tellHere(visitor: Believed, notice: Notice): void {
    const { belief } = visitor;
    const present = belief.seat?.conversationId;
    if (notice.kind === 'presence') {
      if (present !== notice.conversationId || notice.revision < belief.toldAt) return;
      const seat = { ...belief.seat!, peer: notice.peer };
      return this.#believe(visitor, { seat, isPeerAway: notice.presence === 'away', toldAt: notice.revision });
    }
    if (notice.revision < belief.toldAt) return;
    this.#believe(visitor, { toldAt: notice.revision });
    if (notice.kind === 'ended') return this.#end(visitor, notice.conversationId, notice.reason);
    const { conversationId } = notice.seat;
    if (present === conversationId) return;
    if (present !== undefined) this.#end(visitor, present, 'peer_left');
    if (visitor.ended.has(conversationId)) throw new Error(`I10 ${conversationId} starts again`);
    this.#believe(visitor, { seat: notice.seat, isPeerAway: false, isWaiting: false });
  }

  #end(visitor: Believed, id: ConversationId, reason: EndReason): void {
    if (visitor.belief.seat?.conversationId !== id) return;
    if (visitor.ended.has(id)) throw new Error(`I10 ${id} ends again`);
    visitor.ended.add(id);
    this.#believe(visitor, { seat: null, isPeerAway: false, isWaiting: reason === 'unconfirmed' });
  }

  #endNow(visitor: Believed, id: ConversationId, revision: number): void {
    if (visitor.belief.seat?.conversationId !== id) return;
    this.#believe(visitor, { toldAt: Math.max(revision, visitor.belief.toldAt) });
    this.#end(visitor, id, 'peer_left');
  }

  #believe(visitor: Believed, changes: Partial<Believed['belief']>): void {
    visitor.belief = { ...visitor.belief, ...changes };
  }

  /** Returns a refusal as an answer; any other exception fails the test. */
  async #asked<Outcome>(ask: () => Promise<Outcome>): Promise<Outcome | null> {
    try {
      return await ask();
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.code !== 'unavailable') return null;
      throw thrown;
    }
  }

  #token(): ResumeToken {
    return `r_${String(++this.#count).padStart(20, '0')}` as ResumeToken;
  }
}
