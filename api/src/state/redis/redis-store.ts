import { TIMES, type Agreed, type ConversationId, type EndReason, type ResumeToken } from '@passerby/sdk/protocol';
import type { MatchRules } from '../../matching/rules.ts';
import type { Ticket } from '../../matching/ticket.ts';
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
import { BLOCK_MS, SURVEYED } from '../survey.ts';
import type { ScriptRunner } from './cached-script.ts';
import { NODE_LEASE_MS, SWEEP_LEASE_MS } from './keys.ts';
import {
  agreedFrom,
  correctionFrom,
  noticesFrom,
  placedFrom,
  repairOutcome,
  reportedFrom,
  resumeOutcome,
  surveyFrom,
  sweepOutcome,
  toldBy,
} from './reply-codec.ts';
import { RetryingRunner, type RetryingRunnerOptions } from './retrying-runner.ts';
import { callerOf, fingerprintText, heldText, ticketText } from './script-args.ts';
import type { ScriptName } from './scripts.ts';

/** Maximum number of matches in one sweep: each needs an id that was generated outside the script. */
const SWEEP_MATCHES_MAX = 64;

/** State store in Redis, with one Lua script per transition, so that many nodes can serve one site. */
export class RedisStore implements StateStore {
  readonly kind = 'redis';
  readonly #ids: IdSource;
  readonly #runner: RetryingRunner;

  constructor(runner: ScriptRunner, ids: IdSource, options: RetryingRunnerOptions = {}) {
    this.#ids = ids;
    this.#runner = new RetryingRunner(runner, ids, options);
  }

  async open(site: SiteId, nodeId: NodeId, resume: ResumeToken, fingerprint: VisitorFingerprint): Promise<OpenOutcome> {
    const sessionId = this.#ids.session();
    await this.#runner.run('open', site, {
      session: sessionId,
      node: nodeId,
      token: resume,
      fingerprint: fingerprintText(fingerprint),
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
    const reply = await this.#runner.run('resume', site, {
      presented,
      token: next,
      fingerprint: fingerprintText(fingerprint),
      node: nodeId,
      nodeLeaseMs: NODE_LEASE_MS,
      graceMs: TIMES.graceMs,
      ...this.#deciding(rules, 1),
    });
    return resumeOutcome(site, reply);
  }

  async settle(session: SessionRef): Promise<void> {
    await this.#runner.run('settle', session.site, callerOf(session));
  }

  async suspend(session: SessionRef): Promise<Transition> {
    return this.#transition('suspend', session, {});
  }

  async close(session: SessionRef): Promise<Transition> {
    return this.#transition('close', session, {});
  }

  async agree(session: SessionRef, { rules = null, ageBand = null }: Partial<Agreed>): Promise<Agreed> {
    const reply = await this.#runner.run('agree', session.site, {
      ...callerOf(session),
      rules: rules ?? '',
      ageBand: ageBand ?? '',
    });
    return agreedFrom(reply.fields as [string, string]);
  }

  async find(session: SessionRef, ticket: Ticket, rules: MatchRules): Promise<FindOutcome> {
    const reply = await this.#runner.run('find', session.site, {
      ...callerOf(session),
      ticket: ticketText(ticket),
      ...this.#deciding(rules, 1),
    });
    return { status: reply.fields[0] as FindOutcome['status'], notices: noticesFrom(session.site, reply) };
  }

  async cancel(session: SessionRef): Promise<CancelOutcome> {
    const reply = await this.#runner.run('cancel', session.site, callerOf(session));
    return { status: reply.fields[0] as CancelOutcome['status'], ...toldBy(session.site, reply) };
  }

  async leave(session: SessionRef, id: ConversationId, next: Ticket | null, rules: MatchRules): Promise<LeaveOutcome> {
    const reply = await this.#runner.run('leave', session.site, {
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
    return toldBy(
      session.site,
      await this.#runner.run('block', session.site, { ...callerOf(session), conversation: id }),
    );
  }

  async reported(session: SessionRef, id: ConversationId): Promise<Reported> {
    const reply = await this.#runner.run('reported', session.site, {
      ...callerOf(session),
      conversation: id,
      reportMs: TIMES.reportMs,
    });
    return reportedFrom(reply);
  }

  async end(site: SiteId, id: ConversationId, reason: EndReason): Promise<Transition> {
    const reply = await this.#runner.run('end', site, { conversation: id, reason });
    return { notices: noticesFrom(site, reply) };
  }

  async sweep(site: SiteId, nodeId: NodeId, rules: MatchRules, max: number): Promise<SweepOutcome> {
    const reply = await this.#runner.run('sweep', site, {
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
    const reply = await this.#runner.run('repair', site, args);
    return repairOutcome(site, reply);
  }

  async heartbeat(site: SiteId, nodeId: NodeId): Promise<void> {
    await this.#runner.run('heartbeat', site, { node: nodeId, nodeLeaseMs: NODE_LEASE_MS });
  }

  async compare(site: SiteId, held: readonly LocalView[]): Promise<readonly Correction[]> {
    const ask = async () => {
      const reply = await this.#runner.run('compare', site, { held: heldText(held) });
      return reply.fields as [revision: number, corrections: unknown[][]];
    };
    const told = Math.max(...held.map(({ toldAt }) => toldAt));
    let [revision, corrections] = await ask();
    if (told > revision) {
      // Until then nothing that is decided or corrected is news.
      await this.#runner.run('raise-revision', site, { told });
      [revision, corrections] = await ask();
    }
    return corrections.map((fields) => correctionFrom(site, revision, fields));
  }

  async placed(site: SiteId, nodeId: NodeId, after: SessionId | null, max: number): Promise<readonly SessionRef[]> {
    const reply = await this.#runner.run('placed', site, { node: nodeId, after: after ?? '', max });
    return placedFrom(site, reply);
  }

  async survey(session: SessionRef): Promise<Survey | null> {
    const reply = await this.#runner.run('survey', session.site, { ...callerOf(session), ...SURVEYED });
    return surveyFrom(reply);
  }

  async online(site: SiteId): Promise<number> {
    const reply = await this.#runner.run('online', site, {});
    return reply.fields[0] as number;
  }

  async #transition(name: ScriptName, session: SessionRef, args: Record<string, string>): Promise<Transition> {
    const reply = await this.#runner.run(name, session.site, { ...callerOf(session), ...args });
    return { notices: noticesFrom(session.site, reply) };
  }

  #deciding(rules: MatchRules, matches: number) {
    const freshIds = Array.from({ length: matches }, () => this.#ids.conversation()).join(' ');
    return { rules: JSON.stringify(rules), freshIds, blockMs: BLOCK_MS };
  }
}
