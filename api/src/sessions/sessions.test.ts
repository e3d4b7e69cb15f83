import { FINGERPRINT, VISITOR } from '../../test/fingerprints.ts';
import { TIMES, type ResumeToken } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { listLog, siteOf } from '../../test/harness.ts';
import { SiteTurns } from '../state/site-turns.ts';
import type { NodeMessage } from '../cluster/node-bus.ts';
import { Relay } from './relay.ts';
import { WaitStatusNotifier } from './wait-status.ts';
import type { Push } from '../push.ts';
import { directoryOf } from '../sites/site-directory.ts';
import { randomIds } from '../domain/id-source.ts';
import { MemoryStore } from '../state/memory/memory-store.ts';
import type { NodeId, SessionId } from '../domain/ids.ts';
import type { SessionRef } from '../domain/session.ts';
import type { ResumeOutcome } from '../state/state-store.ts';
import { OnlineCount } from './online-count.ts';
import { Sessions } from './sessions.ts';

const SITE = siteOf('pk_test_shop');
const HERE = 'n_here' as NodeId;
const ELSEWHERE = 'n_elsewhere' as NodeId;

/** Answers to a resume when the test says so. */
class SlowStore extends MemoryStore {
  readonly #answers: (() => void)[] = [];

  override async resume(...args: Parameters<MemoryStore['resume']>): Promise<ResumeOutcome> {
    const outcome = await super.resume(...args);
    await new Promise<void>((resolve) => this.#answers.push(resolve));
    return outcome;
  }

  /** Gives the nth answer that was asked for. */
  async answer(nth: number): Promise<void> {
    while (this.#answers.length <= nth) await new Promise(setImmediate);
    this.#answers[nth]!();
  }

  /** As another node does. */
  resumeElsewhere(presented: ResumeToken): Promise<ResumeOutcome> {
    return super.resume(SITE.id, ELSEWHERE, presented, randomIds.resume(), SITE.match, FINGERPRINT);
  }
}

/** One node, and a visitor whose connection is here, with fence 1. */
async function stage() {
  const here = { now: 0, hasVisitors: true };
  const held = new Map<SessionId, SessionRef>();
  const closed: number[] = [];
  const sent: NodeMessage[] = [];
  const push: Push = {
    toSession: () => true,
    toStarted: () => true,
    toSite: () => true,
    toAll: () => undefined,
    hasVisitors: () => here.hasVisitors,
    visitors: () => [...held.values()].map((session) => [session, VISITOR] as const),
    sessions: () => held.values(),
    sessionOf: (sessionId) => held.get(sessionId) ?? null,
    disconnect: (sessionId) => {
      const session = held.get(sessionId);
      if (session !== undefined) closed.push(session.fence);
      held.delete(sessionId);
    },
  };
  const clock = () => here.now;
  const bus = { send: (_: NodeId, message: NodeMessage) => void sent.push(message) };
  const store = new SlowStore(clock, randomIds);
  const relay = new Relay(push, clock, bus, HERE);
  const online = new OnlineCount(store, push, clock, new SiteTurns({ failed: () => undefined }));
  const waits = new WaitStatusNotifier({ store, push, sites: directoryOf([SITE]), log: listLog(), clock });
  const sessions = new Sessions({
    sessionAdmission: { admit: () => Promise.resolve(), admitBack: () => Promise.resolve() },
    ...{ store, relay, push, online, waits, bus, clock, dates: clock },
    ids: randomIds,
    nodeId: HERE,
    tell: () => undefined,
    toldAt: () => 0,
  });
  const tokens: ResumeToken[] = [];
  const arrive = (resume?: ResumeToken) =>
    sessions.arrive(SITE, resume, VISITOR, (session, ready) => {
      tokens.push(ready.resume);
      return held.set(session.sessionId, session).size > 0;
    });
  await arrive();
  const [sessionId, token] = [[...held.keys()][0]!, tokens[0]!];
  return {
    here,
    sessions,
    store,
    sent,
    closed,
    arrive,
    sessionId,
    token,
    fence: () => held.get(sessionId)?.fence ?? null,
  };
}

describe('of several connections with one token', () => {
  test('the one that another node took over before the answer came here is too late', async () => {
    const { sessions, store, arrive, sessionId, token, fence } = await stage();
    const arriving = arrive(token);
    // Until the store is asked.
    await new Promise((resolve) => setImmediate(resolve));
    await store.resumeElsewhere(token);
    sessions.supersedeBefore(sessionId, 3);
    await store.answer(0);
    expect(await arriving).toEqual({ kind: 'superseded' });
    expect(fence()).toBeNull();
  });

  test('the later one stays, also when it is answered first', async () => {
    const { store, arrive, token, fence } = await stage();
    const [earlier, later] = [arrive(token), arrive(token)];
    await store.answer(1);
    expect((await later).kind).toBe('here');
    await store.answer(0);
    expect(await earlier).toEqual({ kind: 'superseded' });
    expect(fence()).toBe(3);
  });

  test('the connection that stood here goes also when the store knows of one elsewhere', async () => {
    const { store, sent, closed, arrive, sessionId, token, fence } = await stage();
    await store.resumeElsewhere(token);
    const arriving = arrive(token);
    await store.answer(0);
    expect((await arriving).kind).toBe('here');
    expect([closed, fence()]).toEqual([[1], 3]);
    expect(sent).toEqual([{ kind: 'superseded', sessionId, fence: 3 }]);
  });

  test('late word of an older takeover closes nobody who came back since', async () => {
    const { sessions, store, arrive, sessionId, token, fence } = await stage();
    await store.resumeElsewhere(token);
    const arriving = arrive(token);
    await store.answer(0);
    await arriving;
    sessions.supersedeBefore(sessionId, 2);
    expect(fence()).toBe(3);
    sessions.supersedeBefore(sessionId, 4);
    expect(fence()).toBeNull();
  });
});

describe('a site whose last visitor went', () => {
  const LONG_AFTER_MS = TIMES.graceMs + 60_000;

  test('is looked after once more however late that is, and then no longer', async () => {
    const { here, sessions } = await stage();
    here.hasVisitors = false;
    here.now = LONG_AFTER_MS;
    expect(sessions.activeSites()).toEqual([SITE.id]);
    expect(sessions.activeSites()).toEqual([]);
  });

  test('is looked after as long as more is due on it than could be done', async () => {
    const { here, sessions } = await stage();
    here.hasVisitors = false;
    here.now = LONG_AFTER_MS;
    for (let round = 0; round < 3; round++) {
      expect(sessions.activeSites()).toEqual([SITE.id]);
      sessions.lookAgain(SITE.id);
    }
    expect(sessions.activeSites()).toEqual([SITE.id]);
    expect(sessions.activeSites()).toEqual([]);
    expect(sessions.siteCount).toBe(0);
  });
});
