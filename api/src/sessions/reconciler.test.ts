import { describe, expect, it, vi } from 'vitest';
import type { NoticeDispatcher } from './notice-dispatcher.ts';
import type { Relay } from './relay.ts';
import type { WaitStatusNotifier } from './wait-status.ts';
import type { Push } from '../push.ts';
import { SiteTurns } from '../state/site-turns.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { Correction } from '../domain/notice.ts';
import type { SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import { Reconciler } from './reconciler.ts';
import type { Sessions } from './sessions.ts';

const never = () => new Promise<never>(() => undefined);
const refOf = (site: string, name: string): SessionRef => ({
  site: site as SiteId,
  sessionId: `s_${name}` as SessionId,
  fence: 1,
});

/** A node with these sessions, a store, and sites that the store does not answer for. */
function stage(here: readonly SessionRef[], store: Partial<StateStore>) {
  const failed: SiteId[] = [];
  const disconnected: SessionId[] = [];
  const suspended: SessionId[] = [];
  const signs: SiteId[] = [];
  const reconciler = new Reconciler({
    store: { compare: async () => [], placed: async () => [], ...store } as unknown as StateStore,
    relay: { seatOf: () => undefined, isPeerAway: () => false, unseat: () => undefined } as unknown as Relay,
    push: {
      sessions: () => here,
      sessionOf: (sessionId: SessionId) => here.find((session) => session.sessionId === sessionId) ?? null,
      disconnect: (sessionId: SessionId) => {
        disconnected.push(sessionId);
        if (sessionId === 's_bad') throw new Error('a bug');
      },
    } as unknown as Push,
    sessions: {
      isClosing: () => false,
      suspend: async ({ sessionId }: SessionRef) => {
        suspended.push(sessionId);
        if (sessionId === 's_bad') throw new Error('away');
      },
    } as unknown as Sessions,
    dispatcher: { toldAt: () => 0 } as unknown as NoticeDispatcher,
    waits: { isFollowed: () => false } as unknown as WaitStatusNotifier,
    nodeId: 'n_here' as NodeId,
    turns: new SiteTurns({ failed: (_, site) => void failed.push(site), bounds: { patienceMs: 1 } }),
    pace: { noteSign: (site) => void signs.push(site) },
  });
  return { reconciler, failed, disconnected, suspended, signs };
}

describe('Reconciler', () => {
  it('compares and looks for strays at every site in the same round, though many sites never answer', async () => {
    const dead = Array.from({ length: 40 }, (_, n) => refOf(`dead_${n}`, `d${n}`));
    const alive = Array.from({ length: 4 }, (_, n) => refOf(`alive_${n}`, `a${n}`));
    const compared: SiteId[] = [];
    const { reconciler, suspended } = stage([...dead, ...alive], {
      compare: async (site) => (site.startsWith('dead') ? never() : (compared.push(site), [])),
      placed: async (site) => (site.startsWith('dead') ? never() : [refOf(site, `stray_${site}`)]),
    });
    await reconciler.round([...dead, ...alive].map(({ site }) => site));
    expect(compared.sort()).toEqual(alive.map(({ site }) => site));
    await vi.waitFor(() => expect(suspended.sort()).toEqual(alive.map(({ site }) => `s_stray_${site}`)), {
      timeout: 30_000,
    });
  });

  it('applies every correction and suspends every stray of a site but those that fail, which are told of', async () => {
    const here = ['bad', 'good'].map((name) => refOf('site_a', name));
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

  it('tells where a record must be missing, and not where a notice may be on its way', async () => {
    const [lost, late] = [refOf('site_lost', 'a'), refOf('site_late', 'b')];
    const { reconciler, signs } = stage([lost, late], {
      compare: async (site, [held]) => {
        const { sessionId } = held!.session;
        return [{ kind: site === lost.site ? 'idle' : 'away', sessionId, revision: 1 } as Correction];
      },
    });
    await reconciler.round([]);
    expect(signs).toEqual(['site_lost']);
  });
});
