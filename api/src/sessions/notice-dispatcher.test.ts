import { VISITOR } from '../../test/fingerprints.ts';
import { Metrics } from '../observability/metrics.ts';
import type { ConversationId } from '@passerby/sdk/protocol';
import { describe, expect, it, test, vi } from 'vitest';
import { listLog, siteOf } from '../../test/harness.ts';
import { noNodeBus } from '../cluster/node-bus.ts';
import { WaitStatusNotifier } from './wait-status.ts';
import type { Push } from '../push.ts';
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
const session: SessionRef = { site, sessionId: 's_a' as SessionId, fence: 1 };
const to: SessionLocation = { site, sessionId: session.sessionId, nodeId };

/** A lifecycle, and what it tells its one visitor. */
function stage() {
  const told: string[] = [];
  const failed: unknown[] = [];
  const here = { now: 0 };
  const push: Push = {
    toSession: (_, name, payload) =>
      told.push(`${name} ${(payload as { conversationId?: string }).conversationId ?? ''}`) > 0,
    toStarted: (_, { conversationId }) => told.push(`conversation:started ${conversationId}`) > 0,
    toSite: () => true,
    toAll: () => undefined,
    hasVisitors: () => true,
    visitors: () => [[session, VISITOR]],
    sessions: () => [session],
    sessionOf: (sessionId) => (sessionId === session.sessionId ? session : null),
    disconnect: () => undefined,
  };
  const store = new MemoryStore(() => here.now, randomIds);
  const [sites, log] = [directoryOf([siteOf('pk_test_shop')]), listLog()];
  const relay = new Relay(push, () => here.now, noNodeBus, nodeId);
  const waits = new WaitStatusNotifier({ store, push, sites, log, clock: () => 0 });
  const dispatcher = new NoticeDispatcher({
    store,
    relay,
    push,
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
    noteTold: (...args: Parameters<NoticeDispatcher['noteTold']>) => dispatcher.noteTold(...args),
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

describe('notices of several nodes, which overtake each other', () => {
  test('I1 a start before the end of the conversation before it: that one ends first, and only once', () => {
    const { told, tell } = stage();
    tell(started(1, 'c1'));
    tell(started(3, 'c2'));
    tell(ended(2, 'c1'));
    expect(told).toEqual(['conversation:started c1', 'conversation:ended c1', 'conversation:started c2']);
  });

  test('I10 an end before its start: neither is told, and nobody sits there', () => {
    const { told, tell, relay } = stage();
    tell(ended(2, 'c1'));
    tell(started(1, 'c1'));
    expect(told).toEqual([]);
    expect(relay.size).toBe(0);
  });

  test('I10 what is told twice is told once', () => {
    const { told, tell } = stage();
    tell(started(1, 'c1'), started(1, 'c1'));
    tell(ended(2, 'c1'), ended(2, 'c1'));
    expect(told).toEqual(['conversation:started c1', 'conversation:ended c1']);
  });

  test('a whole conversation that is older than what was told is passed over', () => {
    const { told, tell } = stage();
    tell(started(5, 'c2'));
    tell(started(1, 'c1'));
    tell(ended(2, 'c1'));
    expect(told).toEqual(['conversation:started c2']);
  });

  test('one transition may end one conversation and start the next', () => {
    const { told, tell } = stage();
    tell(started(1, 'c1'));
    tell(ended(2, 'c1'), started(2, 'c2'));
    expect(told).toEqual(['conversation:started c1', 'conversation:ended c1', 'conversation:started c2']);
  });

  test('the going of a peer before the start it belongs to: the start is told all the same', () => {
    const { told, tell } = stage();
    tell(away(2, 'c1'));
    tell(started(1, 'c1'));
    expect(told).toEqual(['conversation:started c1']);
  });

  test('what is older than an answer is passed over', () => {
    const { told, tell, noteTold } = stage();
    noteTold(session.sessionId, 5);
    tell(started(4, 'c1'));
    noteTold(session.sessionId, 3);
    tell(started(4, 'c2'));
    tell(started(6, 'c3'));
    expect(told).toEqual(['conversation:started c3']);
  });

  test('who is not here is told nothing, and is held nowhere', () => {
    const { told, tell, relay } = stage();
    tell({ ...started(1, 'c1'), to: { ...to, sessionId: 's_gone' as SessionId } });
    expect([told, relay.size]).toEqual([[], 0]);
  });
});

describe('silent conversations', () => {
  it('all end but those whose end fails, and those are counted', async () => {
    const { relay, dispatcher, store, failed, pass } = stage();
    const ids = ['c1', 'c2', 'c3', 'c4'] as ConversationId[];
    const seat = (conversationId: ConversationId, site: SiteId) => ({
      conversationId,
      role: 'offerer' as const,
      shared: { interests: [], isSameTopic: false },
      peer: { site, sessionId: 's_b' as SessionId, nodeId },
    });
    ids.forEach((id, n) =>
      relay.seat(`s_${id}` as SessionId, seat(id, (n < 2 ? 'site_a' : 'site_b') as SiteId), 1_000),
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
