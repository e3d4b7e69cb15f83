import { FINGERPRINT, VISITOR } from '../../test/fingerprints.ts';
import type { Agreed, ConversationId, ResumeToken } from '@passerby/sdk/protocol';
import { describe, expect, test, vi } from 'vitest';
import { listLog, siteOf } from '../../test/harness.ts';
import { RecordingConnection, TestVisitors } from '../../test/local-visitor.ts';
import type { NodeMessage } from '../cluster/node-bus.ts';
import { Metrics } from '../observability/metrics.ts';
import { Relay } from './relay.ts';
import { WaitStatusNotifier } from './wait-status.ts';
import { directoryOf } from '../sites/site-directory.ts';
import { randomIds } from '../domain/id-source.ts';
import { MemoryStore } from '../state/memory/memory-store.ts';
import type { NodeId, SessionId } from '../domain/ids.ts';
import type { Seat } from '../domain/session.ts';
import { Refusal } from '../errors.ts';
import type { ResumeOutcome } from '../state/state-store.ts';
import type { LocalSession } from './local-sessions.ts';
import { SiteActivity } from './site-activity.ts';
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
  const here = { now: 0 };
  const sent: NodeMessage[] = [];
  const clock = () => here.now;
  const bus = { send: (_: NodeId, message: NodeMessage) => void sent.push(message) };
  const store = new SlowStore(clock, randomIds);
  const { local } = new TestVisitors(clock);
  const sites = directoryOf([SITE]);
  const relay = new Relay({ local, clock, bus, nodeId: HERE, metrics: new Metrics() });
  const log = listLog();
  const waits = new WaitStatusNotifier({ store, local, sites, log, clock });
  const sessions = new Sessions({
    sessionAdmission: { admit: () => Promise.resolve(), admitBack: () => Promise.resolve() },
    ...{ store, local, relay, waits, bus, clock, dates: clock, log },
    online: { touch: () => undefined },
    activity: new SiteActivity(local, clock),
    dispatcher: { dispatch: () => undefined },
    ids: randomIds,
    nodeId: HERE,
  });
  const connections: RecordingConnection[] = [];
  const arrive = (resume?: ResumeToken, visitor = VISITOR) => {
    const connection = new RecordingConnection();
    connections.push(connection);
    return sessions.arrive(SITE, resume, visitor, connection);
  };
  await arrive();
  const [first] = [...local.all()] as [LocalSession];
  const { sessionId } = first.ref;
  const token = (connections[0]!.told[0]!.payload as { resume: ResumeToken }).resume;
  return {
    sessions,
    store,
    sent,
    isFirstClosed: () => !connections[0]!.isOpen,
    arrive,
    sessionId,
    token,
    local,
    relay,
    waits,
    first,
    fence: () => local.find(sessionId)?.ref.fence ?? null,
  };
}

describe('several connections with one token', () => {
  test('one that another node took over before the answer is too late', async () => {
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

  test('the later one survives, also if it is answered first', async () => {
    const { store, arrive, token, fence } = await stage();
    const [earlier, later] = [arrive(token), arrive(token)];
    await store.answer(1);
    expect((await later).kind).toBe('here');
    await store.answer(0);
    expect(await earlier).toEqual({ kind: 'superseded' });
    expect(fence()).toBe(3);
  });

  test('a previous connection here is closed even if the store has one elsewhere', async () => {
    const { store, sent, isFirstClosed, arrive, sessionId, token, fence } = await stage();
    await store.resumeElsewhere(token);
    const arriving = arrive(token);
    await store.answer(0);
    expect((await arriving).kind).toBe('here');
    expect([isFirstClosed(), fence()]).toEqual([true, 3]);
    expect(sent).toEqual([{ kind: 'superseded', sessionId, fence: 3 }]);
  });

  test('a late notice of an older takeover closes no newer connection', async () => {
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

test('a new session is expected from the moment the store has it, while its age band is stored', async () => {
  const { sessions, store, arrive, local } = await stage();
  const open = vi.spyOn(store, 'open');
  let stored: (agreed: Agreed) => void = () => undefined;
  vi.spyOn(store, 'agree').mockReturnValue(new Promise((resolve) => (stored = resolve)));
  const agreed: Agreed = { rules: null, ageBand: '18+' };
  const arriving = arrive(undefined, { ...VISITOR, agreed });
  await vi.waitFor(() => expect(store.agree).toHaveBeenCalled(), { timeout: 30_000 });
  const { session } = await open.mock.results[0]!.value;
  expect([local.find(session.sessionId), sessions.isExpected(session.sessionId)]).toEqual([undefined, true]);
  stored(agreed);
  await arriving;
  await sessions.disconnected(local.find(session.sessionId)!);
  expect(sessions.isExpected(session.sessionId)).toBe(false);
});

describe('record of a connection', () => {
  const seat = (sessionId: SessionId): Seat => ({
    conversationId: 'c_1' as ConversationId,
    role: 'offerer',
    shared: { interests: [], isSameTopic: false },
    peer: { site: SITE.id, sessionId, nodeId: HERE },
  });

  test.each<[string, (sessions: Sessions, session: LocalSession) => unknown]>([
    ['ends', (sessions, session) => sessions.disconnected(session)],
    ['is superseded', (sessions, session) => sessions.supersede(session)],
    ['is evicted', (sessions, session) => sessions.evict(session, new Refusal('banned'))],
    ['is closed by its visitor', (sessions, session) => sessions.close(session)],
  ])('goes with seat and wait when it %s', async (_, end) => {
    const { sessions, local, relay, waits, first } = await stage();
    relay.seat(first, seat('s_peer' as SessionId), 1_000);
    waits.follow(first);
    await end(sessions, first);
    expect(local.counts()).toEqual({ sessions: 0, seated: 0, waiting: 0 });
    expect([first.seat, first.wait]).toEqual([null, null]);
  });

  test('of a session that another connection took over stays when the older one ends', async () => {
    const { sessions, store, arrive, token, fence, first } = await stage();
    const arriving = arrive(token);
    await store.answer(0);
    await arriving;
    const suspend = vi.spyOn(store, 'suspend');
    await sessions.disconnected(first);
    expect(fence()).toBe(2);
    expect(suspend).not.toHaveBeenCalled();
  });

  test('is given back to the reconciler when the store cannot close the session', async () => {
    const { sessions, store, local, first } = await stage();
    vi.spyOn(store, 'close').mockRejectedValue(new Refusal('unavailable'));
    await expect(sessions.close(first)).rejects.toMatchObject({ code: 'unavailable' });
    expect([local.has(first), first.isClosing]).toEqual([true, false]);
  });
});
