import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type MaintenanceParts, startMaintenance } from './site-maintenance.ts';
import { RepairPace } from '../state/repair-pace.ts';
import { SiteTurns } from '../state/site-turns.ts';
import type { NodeId, SiteId } from '../domain/ids.ts';
import type { Notice } from '../domain/notice.ts';
import type { RepairOutcome } from '../state/state-store.ts';

const never = () => new Promise<never>(() => undefined);
const UNHARMED: RepairOutcome = { notices: [], isMore: false, isElsewhere: false, mended: {}, areCountsAtOdds: false };
const done = () => Promise.resolve();

/** Dispatcher that collects notices. */
const collecting = (notices: unknown[]): MaintenanceParts['dispatcher'] => ({
  endSilent: done,
  dispatch: (more) => void notices.push(...more),
});

/** Rounds over sites of which some never answer, counted by the end of each. */
function start(
  names: { readonly dead: number; readonly alive: number },
  parts: Partial<MaintenanceParts> = {},
  { isFirstElsewhere = false } = {},
) {
  const sites = [
    ...Array.from({ length: names.dead }, (_, n) => `dead_${n}` as SiteId),
    ...Array.from({ length: names.alive }, (_, n) => `alive_${n}` as SiteId),
  ];
  const answer = (site: SiteId) => (site.startsWith('dead') ? never() : done());
  const failed: unknown[] = [];
  const swept: SiteId[] = [];
  let ends = 0;
  const stop = startMaintenance({
    everyMs: 1,
    nodeId: 'n_here' as NodeId,
    store: {
      sweep: async (site) => {
        swept.push(site);
        await answer(site);
        return { notices: [], isMore: false, isElsewhere: site === 'alive_0' && isFirstElsewhere };
      },
      repair: async (site) => {
        await answer(site);
        return { ...UNHARMED, notices: [{ repaired: site } as unknown as Notice] };
      },
    },
    sites: { rulesOf: () => ({}) as never },
    sessions: { sweep: () => undefined },
    activity: { nextRound: () => sites, keep: () => undefined },
    heartbeat: { held: done },
    pace: new RepairPace(() => 0),
    repaired: () => undefined,
    turns: new SiteTurns({ failed: (thrown) => void failed.push(thrown), bounds: { patienceMs: 1 } }),
    salts: { refresh: done },
    waits: { round: done },
    reconciler: { round: done },
    dispatcher: { endSilent: done, dispatch: () => undefined },
    online: { tellChanges: async () => void ends++ },
    failed: (thrown) => void failed.push(thrown),
    ...parts,
  });
  onTestFinished(stop);
  const rounds = (count: number) => vi.waitFor(() => expect(ends).toBeGreaterThanOrEqual(count), { timeout: 60_000 });
  return { rounds, failed, swept, stop, ends: () => ends };
}

describe('background rounds', () => {
  it('do every step for each site that answers, although others never do', async () => {
    const repaired: unknown[] = [];
    const { rounds, swept } = start({ dead: 40, alive: 5 }, { dispatcher: collecting(repaired) });
    await rounds(3);
    const times = (site: string) => swept.filter((each) => each === site).length;
    for (let n = 0; n < 5; n++) {
      expect(times(`alive_${n}`)).toBeGreaterThanOrEqual(3);
      expect(repaired).toContainEqual({ repaired: `alive_${n}` });
    }
    for (let n = 0; n < 40; n++) expect(times(`dead_${n}`)).toBe(1);
  });

  it('repair no site that another node sweeps', async () => {
    const repaired: unknown[] = [];
    const { rounds } = start({ dead: 0, alive: 2 }, { dispatcher: collecting(repaired) }, { isFirstElsewhere: true });
    await rounds(3);
    expect(repaired).toContainEqual({ repaired: 'alive_1' });
    expect(repaired).not.toContainEqual({ repaired: 'alive_0' });
  });

  it('walk over a site slowly, fast after a sign of loss, and faster still while something is repaired', async () => {
    let now = 0;
    const pace = new RepairPace(() => now);
    const site = 'alive_0' as SiteId;
    const asked: number[] = [];
    const lost = { count: 0 };
    const told: unknown[] = [];
    const store: MaintenanceParts['store'] = {
      sweep: async () => ({ notices: [], isMore: false, isElsewhere: false }),
      repair: async (_, __, max) => {
        asked.push(max);
        if (lost.count === 0) return UNHARMED;
        lost.count--;
        return { ...UNHARMED, isMore: true, mended: { waits: 2 } };
      },
    };
    const perRound: number[][] = [];
    const online: MaintenanceParts['online'] = {
      tellChanges: async () => {
        perRound.push(asked.splice(0));
        if (perRound.length === 2) pace.noteSign(site);
        if (perRound.length === 4) now = 60_000;
        if (perRound.length === 6) lost.count = 12;
      },
    };
    const { stop } = start({ dead: 0, alive: 1 }, { pace, store, online, repaired: (...args) => void told.push(args) });
    await vi.waitFor(() => expect(perRound.length).toBeGreaterThanOrEqual(9), { timeout: 60_000 });
    stop();
    const fast = [100, 100, 100];
    expect(perRound.slice(0, 6)).toEqual([[20], [20], fast, fast, [20], [20]]);
    expect(perRound.slice(6, 9)).toEqual([[20, ...Array(9).fill(100)], fast, fast]);
    expect(told).toEqual(Array(12).fill([site, { waits: 2 }]));
  });

  it('wait neither for late salts nor for late wait reports, and request neither twice', async () => {
    const refresh = vi.fn(never);
    const round = vi.fn(never);
    const { rounds } = start({ dead: 0, alive: 1 }, { salts: { refresh }, waits: { round } });
    await rounds(3);
    expect([refresh.mock.calls.length, round.mock.calls.length]).toEqual([1, 1]);
  });

  it('continue with the next step if one fails, and report it', async () => {
    const away = new Error('away');
    const { rounds, failed } = start(
      { dead: 0, alive: 1 },
      {
        salts: { refresh: () => Promise.reject(away) },
        reconciler: {
          round: () => {
            throw away;
          },
        },
      },
    );
    await rounds(2);
    expect(failed.length).toBeGreaterThanOrEqual(4);
    expect(new Set(failed)).toEqual(new Set([away]));
  });

  it('end when they are stopped', async () => {
    const { rounds, stop, ends } = start({ dead: 0, alive: 1 });
    await rounds(1);
    stop();
    await new Promise((resolve) => setImmediate(resolve));
    const before = ends();
    for (let looks = 0; looks < 5; looks++) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(ends()).toBe(before);
  });
});
