import { describe, expect, it, vi } from 'vitest';
import { refOf, TestVisitors } from '../../test/local-visitor.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { Correction } from '../domain/notice.ts';
import type { SessionRef } from '../domain/session.ts';
import { SiteTurns } from '../state/site-turns.ts';
import type { StateStore } from '../state/state-store.ts';
import type { LocalSession } from './local-sessions.ts';
import type { NoticeDispatcher } from './notice-dispatcher.ts';
import { Reconciler } from './reconciler.ts';
import type { Sessions } from './sessions.ts';

const never = () => new Promise<never>(() => undefined);

/** A node with these sessions, a store, and sites that the store does not answer for. */
function stage(here: readonly SessionRef[], store: Partial<StateStore>) {
  const failed: SiteId[] = [];
  const disconnected: SessionId[] = [];
  const suspended: SessionId[] = [];
  const signs: SiteId[] = [];
  const visitors = new TestVisitors();
  const sessions = here.map((ref) => visitors.add(ref).session);
  const { local } = visitors;
  const nodeId = 'n_here' as NodeId;
  const reconciler = new Reconciler({
    store: { compare: async () => [], placed: async () => [], ...store } as unknown as StateStore,
    local,
    sessions: {
      disconnect: ({ ref }: LocalSession) => {
        disconnected.push(ref.sessionId);
        if (ref.sessionId === 's_bad') throw new Error('a bug');
      },
      isExpected: (sessionId: SessionId) => local.find(sessionId) !== undefined,
      suspend: async ({ sessionId }: SessionRef) => {
        suspended.push(sessionId);
        if (sessionId === 's_bad') throw new Error('away');
      },
    } as unknown as Sessions,
    dispatcher: {} as NoticeDispatcher,
    nodeId,
    turns: new SiteTurns({ failed: (_, site) => void failed.push(site), bounds: { patienceMs: 1 } }),
    pace: { noteSign: (site) => void signs.push(site) },
  });
  return { reconciler, failed, disconnected, suspended, signs, sessions, visitors };
}

describe('Reconciler', () => {
  it('compares every site and finds its strays in the same round, although many sites never answer', async () => {
    const dead = Array.from({ length: 40 }, (_, n) => refOf(`d${n}`, `dead_${n}`));
    const alive = Array.from({ length: 4 }, (_, n) => refOf(`a${n}`, `alive_${n}`));
    const compared: SiteId[] = [];
    const { reconciler, suspended } = stage([...dead, ...alive], {
      compare: async (site) => (site.startsWith('dead') ? never() : (compared.push(site), [])),
      placed: async (site) => (site.startsWith('dead') ? never() : [refOf(`stray_${site}`, site)]),
    });
    await reconciler.round([...dead, ...alive].map(({ site }) => site));
    expect(compared.sort()).toEqual(alive.map(({ site }) => site));
    await vi.waitFor(() => expect(suspended.sort()).toEqual(alive.map(({ site }) => `s_stray_${site}`)), {
      timeout: 30_000,
    });
  });

  it('applies every correction and suspends every stray of a site except failing ones, which are reported', async () => {
    const here = ['bad', 'good'].map((name) => refOf(name, 'site_a'));
    const { reconciler, failed, disconnected, signs } = stage(here, {
      compare: async () => here.map(({ sessionId }) => ({ kind: 'away', sessionId, revision: 1 }) as Correction),
    });
    await reconciler.round([]);
    expect(disconnected).toEqual(['s_bad', 's_good']);
    expect(failed).toEqual(['site_a']);
    expect(signs).toEqual([]);

    const strays = stage([], { placed: async () => here });
    await strays.reconciler.round(['site_a' as SiteId]);
    await vi.waitFor(() => expect(strays.failed).toEqual(['site_a']), { timeout: 30_000 });
    expect(strays.suspended).toEqual(['s_bad', 's_good']);
  });

  it('reports a missing record, and not a notice that may be in flight', async () => {
    const [lost, late] = [refOf('a', 'site_lost'), refOf('b', 'site_late')];
    const { reconciler, signs } = stage([lost, late], {
      compare: async (site, [held]) => {
        const { sessionId } = held!.session;
        return [{ kind: site === lost.site ? 'idle' : 'away', sessionId, revision: 1 } as Correction];
      },
    });
    await reconciler.round([]);
    expect(signs).toEqual(['site_lost']);
  });

  it.each<[string, (session: LocalSession, visitors: TestVisitors) => void]>([
    ['was told something newer', (session) => session.noteTold(7)],
    ['left the node', (session, { local }) => void local.remove(session)],
    ['asked to be forgotten', (session) => void (session.isClosing = true)],
    ['no longer waits', (session) => void (session.wait = null)],
  ])('corrects nobody who %s while the store was asked', async (_, happen) => {
    const node = stage([refOf('a')], {
      compare: async (_site, views) => {
        happen(node.sessions[0]!, node.visitors);
        return views.map(({ session: { sessionId } }) => ({ kind: 'away', sessionId, revision: 1 }) as Correction);
      },
    });
    node.sessions[0]!.wait = { since: 0, dueAt: 0 };
    await node.reconciler.round([]);
    expect(node.disconnected).toEqual([]);
    expect(node.failed).toEqual([]);
  });
});
