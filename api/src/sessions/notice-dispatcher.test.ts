import { Metrics } from '../observability/metrics.ts';
import type { ConversationId } from '@passerby/sdk/protocol';
import { describe, expect, it, test, vi } from 'vitest';
import { listLog, siteOf } from '../../test/harness.ts';
import { refOf, TestVisitors } from '../../test/local-visitor.ts';
import { noNodeBus } from '../cluster/node-bus.ts';
import { WaitStatusNotifier } from './wait-status.ts';
import { directoryOf } from '../sites/site-directory.ts';
import { randomIds } from '../domain/id-source.ts';
import { MemoryStore } from '../state/memory/memory-store.ts';
import { SiteTurns } from '../state/site-turns.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { Notice } from '../domain/notice.ts';
import type { SessionLocation, SessionRef } from '../domain/session.ts';
import { NoticeDispatcher } from './notice-dispatcher.ts';
import { Relay } from './relay.ts';

const site = 'site_shop' as SiteId;
const nodeId = 'n_here' as NodeId;
const ref: SessionRef = { site, sessionId: 's_a' as SessionId, fence: 1 };
const to: SessionLocation = { site, sessionId: ref.sessionId, nodeId };

/** A lifecycle, and what it tells its one visitor. */
function stage() {
  const failed: unknown[] = [];
  const here = { now: 0 };
  const clock = () => here.now;
  const visitors = new TestVisitors(clock);
  const { local } = visitors;
  const { session, connection } = visitors.add(ref);
  const told = () =>
    connection.told.map(
      ({ name, payload }) => `${name} ${(payload as { conversationId?: string }).conversationId ?? ''}`,
    );
  const store = new MemoryStore(clock, randomIds);
  const [sites, log] = [directoryOf([siteOf('pk_test_shop')]), listLog()];
  const relay = new Relay({ local, clock, bus: noNodeBus, nodeId, metrics: new Metrics() });
  const waits = new WaitStatusNotifier({ store, local, sites, log, clock });
  const dispatcher = new NoticeDispatcher({
    store,
    local,
    relay,
    sites,
    bus: noNodeBus,
    waits,
    log,
    metrics: new Metrics(),
    nodeId,
    turns: new SiteTurns({ failed: (thrown) => failed.push(thrown) }),
  });
  return {
    told,
    tell: (...notices: Notice[]) => dispatcher.dispatch(notices),
    session,
    connection,
    visitors,
    local,
    relay,
    dispatcher,
    store,
    failed,
    pass: (ms: number) => void (here.now += ms),
  };
}

const started = (revision: number, id: string): Notice => ({
  kind: 'started',
  revision,
  to,
  seat: {
    conversationId: id as ConversationId,
    role: 'offerer',
    shared: { interests: [], isSameTopic: false },
    peer: { site, sessionId: 's_b' as SessionId, nodeId },
  },
});
const ended = (revision: number, id: string): Notice => ({
  kind: 'ended',
  revision,
  to,
  conversationId: id as ConversationId,
  reason: 'peer_left',
});

const away = (revision: number, id: string): Notice => ({
  kind: 'presence',
  revision,
  to,
  conversationId: id as ConversationId,
  presence: 'away',
  peer: { site, sessionId: 's_b' as SessionId, nodeId },
});

describe('notices of several nodes out of order', () => {
  test('I1 a start before the end of the previous conversation ends that one first, and only once', () => {
    const { told, tell } = stage();
    tell(started(1, 'c1'));
    tell(started(3, 'c2'));
    tell(ended(2, 'c1'));
    expect(told()).toEqual(['conversation:started c1', 'conversation:ended c1', 'conversation:started c2']);
  });

  test('I10 an end before its start suppresses both', () => {
    const { told, tell, session } = stage();
    tell(ended(2, 'c1'));
    tell(started(1, 'c1'));
    expect(told()).toEqual([]);
    expect(session.seat).toBeNull();
  });

  test('I10 a repeated notice is told once', () => {
    const { told, tell } = stage();
    tell(started(1, 'c1'), started(1, 'c1'));
    tell(ended(2, 'c1'), ended(2, 'c1'));
    expect(told()).toEqual(['conversation:started c1', 'conversation:ended c1']);
  });

  test('a whole conversation that is older than what was told is skipped', () => {
    const { told, tell } = stage();
    tell(started(5, 'c2'));
    tell(started(1, 'c1'));
    tell(ended(2, 'c1'));
    expect(told()).toEqual(['conversation:started c2']);
  });

  test('one transition may end one conversation and start the next', () => {
    const { told, tell } = stage();
    tell(started(1, 'c1'));
    tell(ended(2, 'c1'), started(2, 'c2'));
    expect(told()).toEqual(['conversation:started c1', 'conversation:ended c1', 'conversation:started c2']);
  });

  test("a peer's absence before the start it belongs to does not suppress the start", () => {
    const { told, tell } = stage();
    tell(away(2, 'c1'));
    tell(started(1, 'c1'));
    expect(told()).toEqual(['conversation:started c1']);
  });

  test('a notice older than an answer is skipped', () => {
    const { told, tell, session } = stage();
    session.noteTold(5);
    tell(started(4, 'c1'));
    session.noteTold(3);
    tell(started(4, 'c2'));
    tell(started(6, 'c3'));
    expect(told()).toEqual(['conversation:started c3']);
  });

  test('a visitor of another node is told nothing, and not recorded', () => {
    const { told, tell, local } = stage();
    tell({ ...started(1, 'c1'), to: { ...to, sessionId: 's_gone' as SessionId } });
    expect([told(), local.counts().seated]).toEqual([[], 0]);
  });
});

describe('acknowledgement of a start', () => {
  it('confirms the match, but not after the connection is lost', async () => {
    const { tell, connection, session, local, store } = stage();
    const confirm = vi.spyOn(store, 'confirm').mockResolvedValue({ notices: [] });
    tell(started(1, 'c1'));
    connection.confirmations[0]!();
    expect(confirm).toHaveBeenCalledExactlyOnceWith(session.ref, 'c1');
    local.remove(session);
    connection.confirmations[0]!();
    expect(confirm).toHaveBeenCalledTimes(1);
  });
});

describe('idle conversations', () => {
  it('all end except those whose end fails, which are counted', async () => {
    const { visitors, relay, dispatcher, store, failed, pass } = stage();
    const ids = ['c1', 'c2', 'c3', 'c4'] as ConversationId[];
    const seat = (conversationId: ConversationId, site: SiteId) => ({
      conversationId,
      role: 'offerer' as const,
      shared: { interests: [], isSameTopic: false },
      peer: { site, sessionId: 's_b' as SessionId, nodeId },
    });
    ids.forEach((id, n) =>
      relay.seat(visitors.add(refOf(id)).session, seat(id, (n < 2 ? 'site_a' : 'site_b') as SiteId), 1_000),
    );
    const asked: ConversationId[] = [];
    vi.spyOn(store, 'end').mockImplementation(async (_, id) => {
      asked.push(id);
      if (id === 'c1' || id === 'c3') throw new Error('away');
      return { notices: [] };
    });
    pass(1_000);
    await dispatcher.endSilent();
    expect(asked.sort()).toEqual(ids);
    expect(failed).toHaveLength(2);
  });
});
