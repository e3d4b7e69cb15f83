import { TIMES, type Agreed, type ConversationId, type EndReason, type ResumeToken } from '@passerby/sdk/protocol';
import { isBug, Refusal } from '../../errors.ts';
import type { MatchRules } from '../../matching/rules.ts';
import { lookupsOf, tagsOf, type Ticket } from '../../matching/ticket.ts';
import type { IdSource } from '../../domain/id-source.ts';
import type { NodeId, SessionId, SiteId } from '../../domain/ids.ts';
import type { Correction, LocalView } from '../../domain/notice.ts';
import type { SessionRef } from '../../domain/session.ts';
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
import { BLOCK_MS, SURVEYED, typicalOf } from '../survey.ts';
import type { ScriptRunner } from './cached-script.ts';
import { ForeignAnswer, renewConnection } from './foreign-answer.ts';
import { NODE_LEASE_MS, SWEEP_LEASE_MS } from './keys.ts';
import {
  agreedFrom,
  correctionFrom,
  noticesFrom,
  repairOutcome,
  seatFrom,
  stateFrom,
  sweepOutcome,
  toldBy,
} from './reply-codec.ts';
import type { ScriptReply } from './script.ts';
import { type ScriptName, SCRIPTS } from './scripts.ts';
import { isScriptFault } from './store-fault.ts';

export interface RedisStoreOptions {
  /** Offset to the clock of Redis, for tests only. Milliseconds. */
  readonly skewMs?: () => number;
  /** Scripts; tests replace them by broken ones. */
  readonly scripts?: typeof SCRIPTS;
  /** Time for which a request with unknown outcome is retried before the caller is told; 0 for no retry. Milliseconds. */
  readonly askAgainMs?: number;
}

const ASK_AGAIN_MS = 800;
const ASK_AGAIN_PAUSE_MS = 50;
/** Time to wait after `unavailable`. Milliseconds. */
const RETRY_AFTER_MS = 1_000;
/** Maximum number of matches in one sweep: each needs an id that was generated outside the script. */
const SWEEP_MATCHES_MAX = 64;

/** State store in Redis, with one Lua script per transition, so that many nodes can serve one site. */
export class RedisStore implements StateStore {
  readonly kind = 'redis';
  readonly #runner: ScriptRunner;
  readonly #ids: IdSource;
  readonly #skewMs: () => number;
  readonly #scripts: typeof SCRIPTS;
  readonly #askAgainMs: number;

  constructor(runner: ScriptRunner, ids: IdSource, options: RedisStoreOptions = {}) {
    this.#runner = runner;
    this.#ids = ids;
    this.#skewMs = options.skewMs ?? (() => 0);
    this.#scripts = options.scripts ?? SCRIPTS;
    this.#askAgainMs = options.askAgainMs ?? ASK_AGAIN_MS;
  }

  async open(site: SiteId, nodeId: NodeId, resume: ResumeToken, fingerprint: VisitorFingerprint): Promise<OpenOutcome> {
    const sessionId = this.#ids.session();
    await this.#run('open', site, {
      session: sessionId,
      node: nodeId,
      token: resume,
      fingerprint: JSON.stringify(fingerprint),
      nodeLeaseMs: NODE_LEASE_MS,
    });
    return { session: { site, sessionId, fence: 1 } };
  }

  async resume(
    site: SiteId,
    nodeId: NodeId,
    presented: ResumeToken,
    next: ResumeToken,
    rules: MatchRules,
    fingerprint: VisitorFingerprint,
  ): Promise<ResumeOutcome> {
    const reply = await this.#run('resume', site, {
      presented,
      token: next,
      fingerprint: JSON.stringify(fingerprint),
      node: nodeId,
      nodeLeaseMs: NODE_LEASE_MS,
      graceMs: TIMES.graceMs,
      ...this.#deciding(rules, 1),
    });
    if (reply.tag === 'unknown') return { kind: 'unknown' };
    const [sessionId, fence, previousNode, state, seatedAt, ...agreed] = reply.fields as [
      SessionId,
      number,
      NodeId,
      unknown[],
      number,
      string,
      string,
    ];
    const seat = state[0] === 'chatting' ? seatFrom(site, state.slice(2)) : null;
    return {
      kind: 'resumed',
      session: { site, sessionId, fence },
      state: stateFrom(state, seat),
      agreed: agreedFrom(agreed),
      seat,
      seatedAt,
      previous: { site, sessionId, nodeId: previousNode },
      notices: noticesFrom(site, reply),
    };
  }

  async settle(session: SessionRef): Promise<void> {
    await this.#run('settle', session.site, callerOf(session));
  }

  async suspend(session: SessionRef): Promise<Transition> {
    return this.#transition('suspend', session, {});
  }

  async close(session: SessionRef): Promise<Transition> {
    return this.#transition('close', session, {});
  }

  async agree(session: SessionRef, { rules = null, ageBand = null }: Partial<Agreed>): Promise<Agreed> {
    const reply = await this.#run('agree', session.site, {
      ...callerOf(session),
      rules: rules ?? '',
      ageBand: ageBand ?? '',
    });
    return agreedFrom(reply.fields as [string, string]);
  }

  async find(session: SessionRef, ticket: Ticket, rules: MatchRules): Promise<FindOutcome> {
    const reply = await this.#run('find', session.site, {
      ...callerOf(session),
      ticket: ticketText(ticket),
      ...this.#deciding(rules, 1),
    });
    return { status: reply.fields[0] as FindOutcome['status'], notices: noticesFrom(session.site, reply) };
  }

  async cancel(session: SessionRef): Promise<CancelOutcome> {
    const reply = await this.#run('cancel', session.site, callerOf(session));
    return { status: reply.fields[0] as CancelOutcome['status'], ...toldBy(session.site, reply) };
  }

  async leave(session: SessionRef, id: ConversationId, next: Ticket | null, rules: MatchRules): Promise<LeaveOutcome> {
    const reply = await this.#run('leave', session.site, {
      ...callerOf(session),
      conversation: id,
      ticket: next === null ? '' : ticketText(next),
      ...this.#deciding(rules, 1),
    });
    const status = reply.fields[0] as FindOutcome['status'] | '';
    return { next: status === '' ? null : status, ...toldBy(session.site, reply) };
  }

  async confirm(session: SessionRef, id: ConversationId): Promise<Transition> {
    return this.#transition('confirm', session, { conversation: id });
  }

  async block(session: SessionRef, id: ConversationId): Promise<Answered> {
    return toldBy(session.site, await this.#run('block', session.site, { ...callerOf(session), conversation: id }));
  }

  async reported(session: SessionRef, id: ConversationId): Promise<Reported> {
    const reply = await this.#run('reported', session.site, {
      ...callerOf(session),
      conversation: id,
      reportMs: TIMES.reportMs,
    });
    const [peer, own, isConfirmed] = reply.fields as [string, string, number];
    return { peer: fingerprintFrom(peer), own: fingerprintFrom(own), isConfirmed: isConfirmed === 1 };
  }

  async end(site: SiteId, id: ConversationId, reason: EndReason): Promise<Transition> {
    const reply = await this.#run('end', site, { conversation: id, reason });
    return { notices: noticesFrom(site, reply) };
  }

  async sweep(site: SiteId, nodeId: NodeId, rules: MatchRules, max: number): Promise<SweepOutcome> {
    const reply = await this.#run('sweep', site, {
      node: nodeId,
      sweepLeaseMs: SWEEP_LEASE_MS,
      graceMs: TIMES.graceMs,
      reportMs: TIMES.reportMs,
      max,
      ...this.#deciding(rules, SWEEP_MATCHES_MAX),
    });
    return sweepOutcome(site, reply);
  }

  async repair(site: SiteId, nodeId: NodeId, max: number): Promise<RepairOutcome> {
    const args = { node: nodeId, sweepLeaseMs: SWEEP_LEASE_MS, nodeLeaseMs: NODE_LEASE_MS, max };
    const reply = await this.#run('repair', site, args);
    return repairOutcome(site, reply);
  }

  async heartbeat(site: SiteId, nodeId: NodeId): Promise<void> {
    await this.#run('heartbeat', site, { node: nodeId, nodeLeaseMs: NODE_LEASE_MS });
  }

  async compare(site: SiteId, held: readonly LocalView[]): Promise<readonly Correction[]> {
    const beliefs = held.map(({ session, seat, isPeerAway, isWaiting, toldAt }) => [
      session.sessionId,
      session.fence,
      seat?.conversationId ?? '',
      seat?.peer.nodeId ?? '',
      isPeerAway ? 'away' : 'here',
      isWaiting,
      toldAt,
    ]);
    const ask = async () => {
      const reply = await this.#run('compare', site, { held: JSON.stringify(beliefs) });
      return reply.fields as [revision: number, corrections: unknown[][]];
    };
    const told = Math.max(...held.map(({ toldAt }) => toldAt));
    let [revision, corrections] = await ask();
    if (told > revision) {
      // Until then nothing that is decided or corrected is news.
      await this.#run('raise-revision', site, { told });
      [revision, corrections] = await ask();
    }
    return corrections.map((fields) => correctionFrom(site, revision, fields));
  }

  async placed(site: SiteId, nodeId: NodeId, after: SessionId | null, max: number): Promise<readonly SessionRef[]> {
    const reply = await this.#run('placed', site, { node: nodeId, after: after ?? '', max });
    return (reply.fields[0] as [SessionId, number][]).map(([sessionId, fence]) => ({ site, sessionId, fence }));
  }

  async survey(session: SessionRef): Promise<Survey | null> {
    const reply = await this.#run('survey', session.site, { ...callerOf(session), ...SURVEYED });
    if (reply.tag === 'none') return null;
    const [waitedMs, recentWaits, networks, otherLanguageNetworks] = reply.fields as [number, string[], number, number];
    return { waitedMs, typicalWaitMs: typicalOf(recentWaits.map(Number)), networks, otherLanguageNetworks };
  }

  async online(site: SiteId): Promise<number> {
    const reply = await this.#run('online', site, {});
    return reply.fields[0] as number;
  }

  async #transition(name: ScriptName, session: SessionRef, args: Record<string, string>): Promise<Transition> {
    const reply = await this.#run(name, session.site, { ...callerOf(session), ...args });
    return { notices: noticesFrom(session.site, reply) };
  }

  #deciding(rules: MatchRules, matches: number) {
    const freshIds = Array.from({ length: matches }, () => this.#ids.conversation()).join(' ');
    return { rules: JSON.stringify(rules), freshIds, blockMs: BLOCK_MS };
  }

  /** Runs a script; while its outcome is unknown, retries with the same operation id, then refuses `unavailable`. */
  async #run(name: ScriptName, site: SiteId, args: Record<string, string | number>): Promise<ScriptReply> {
    const call = { site, operation: this.#ids.operation(), skewMs: this.#skewMs(), args };
    const deadline = performance.now() + this.#askAgainMs;
    for (;;) {
      try {
        const reply = await this.#scripts[name].run(this.#runner, call);
        if (reply.tag === 'refused') throw new Refusal(reply.fields[0] as Refusal['code']);
        return reply;
      } catch (thrown) {
        // Asking again gives the same.
        if (thrown instanceof Refusal || isBug(thrown) || isScriptFault(thrown)) throw thrown;
        if (thrown instanceof ForeignAnswer) renewConnection(this.#runner);
        if (isWrongType(thrown) && name !== 'drop-foreign') await this.#run('drop-foreign', site, {});
        if (performance.now() > deadline)
          throw new Refusal('unavailable', { retryAfterMs: RETRY_AFTER_MS, cause: thrown });
        await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_PAUSE_MS));
      }
    }
  }
}

/** Returns whether a script failed because a key of the site has a foreign value of another type. */
function isWrongType(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith('WRONGTYPE');
}

function callerOf({ sessionId, fence }: SessionRef): { session: string; fence: number } {
  return { session: sessionId, fence };
}

/** Parses a fingerprint. One written by the previous version has the narrowest network only. */
function fingerprintFrom(text: string): VisitorFingerprint {
  return { wider: [], ...(JSON.parse(text) as Omit<VisitorFingerprint, 'wider'>) };
}

/** Serialises a ticket for Lua: fields absent instead of `null`, with its tags and lookups. */
function ticketText(ticket: Ticket): string {
  const given = Object.fromEntries(Object.entries(ticket).filter(([, value]) => value !== null));
  return JSON.stringify({ ticket: given, tags: tagsOf(ticket), lookups: lookupsOf(ticket) });
}
