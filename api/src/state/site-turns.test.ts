import { describe, expect, it } from 'vitest';
import { SiteTurns } from './site-turns.ts';
import type { SiteId } from '../domain/ids.ts';

const REST_MS = 2_000;

const named = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}${index}` as SiteId);
const turnOfEventLoop = () => new Promise((resolve) => setImmediate(resolve));

/** Sites of a store that answers, fails or says nothing, as the test has it. */
function stage() {
  let now = 0;
  const silent = new Set<SiteId>();
  const failing = new Set<SiteId>();
  const began: SiteId[] = [];
  const answered: SiteId[] = [];
  const failed: SiteId[] = [];
  const waiting: (() => void)[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const work = async (site: SiteId) => {
    began.push(site);
    mostUnderWay = Math.max(mostUnderWay, ++underWay);
    try {
      if (silent.has(site)) await new Promise<void>((resolve) => waiting.push(resolve));
      else await null;
      if (failing.has(site)) throw new Error('away');
      answered.push(site);
    } finally {
      underWay--;
    }
  };
  return {
    silent,
    failing,
    failed,
    work,
    mostUnderWay: () => mostUnderWay,
    pass: (ms: number) => void (now += ms),
    turns: (bounds: { underWayMax?: number; patienceMs?: number } = {}) =>
      new SiteTurns({
        clock: () => now,
        failed: (_, site) => void failed.push(site),
        bounds: { atOnceMax: 4, patienceMs: 1, restMs: REST_MS, ...bounds },
      }),
    /** Sites that began since the last call, in order. */
    began: () => began.splice(0),
    answered: () => answered.splice(0),
    /** All who were waited for answer now. */
    answer: async () => {
      for (const resolve of waiting.splice(0)) resolve();
      await turnOfEventLoop();
    },
  };
}

describe('SiteTurns', () => {
  it('gives every site its turn in the same round, although more sites than the maximum never answer', async () => {
    const the = stage();
    const turns = the.turns();
    const [dead, alive] = [named('dead', 9), named('alive', 9)];
    for (const site of dead) the.silent.add(site);
    await turns.each('sweep', [...dead, ...alive], the.work);
    expect(the.answered().sort()).toEqual(alive);
  });

  it('delays no site for one that failed in another step', async () => {
    const the = stage();
    const turns = the.turns({ patienceMs: 2 ** 30 });
    const [dead, alive] = [named('dead', 9), named('alive', 9)];
    for (const site of dead) the.failing.add(site);
    await turns.each('sweep', dead, the.work);
    for (const site of dead) the.silent.add(site);
    await turns.each('online', [...dead, ...alive], the.work);
    expect(the.answered().sort()).toEqual(alive);
    while (!dead.every((site) => the.failed.filter((each) => each === site).length === 2)) await the.answer();
  });

  it('begins no turn of a site in a step before the previous one is over', async () => {
    const the = stage();
    const turns = the.turns();
    const [site] = named('dead', 1) as [SiteId];
    the.silent.add(site);
    await turns.each('sweep', [site], the.work);
    await turns.each('sweep', [site], the.work);
    expect(the.began()).toEqual([site]);
    the.silent.clear();
    await the.answer();
    await turns.each('sweep', [site], the.work);
    expect(the.began()).toEqual([site]);
  });

  it('skips a site for a while after a failure, reports each failure, and then retries', async () => {
    const the = stage();
    const turns = the.turns();
    const [bad, good] = named('site', 2) as [SiteId, SiteId];
    the.failing.add(bad);
    await turns.each('sweep', [bad, good], the.work);
    expect(the.began()).toEqual([bad, good]);
    the.pass(REST_MS - 1);
    await turns.each('sweep', [bad, good], the.work);
    expect([the.began(), the.failed]).toEqual([[good], [bad]]);
    the.pass(1);
    await turns.each('sweep', [bad, good], the.work);
    await turnOfEventLoop();
    expect(the.began().sort()).toEqual([bad, good]);
    expect(the.failed).toEqual([bad, bad]);
    the.failing.clear();
    the.pass(REST_MS);
    for (let round = 0; round < 3; round++) {
      await turns.each('sweep', [bad, good], the.work);
      await turnOfEventLoop();
    }
    expect(the.began().filter((site) => site === bad)).toHaveLength(3);
  });

  it('does the other steps of a site of which one always fails', async () => {
    const the = stage();
    const turns = the.turns();
    const [site] = named('site', 1) as [SiteId];
    await turns.each('repair', [site], () => Promise.reject(new Error('damaged')));
    for (const step of ['sweep', 'compare', 'online'] as const) await turns.each(step, [site], the.work);
    for (let turn = 0; turn < 9; turn++) await turnOfEventLoop();
    expect(the.answered()).toEqual([site, site, site]);
  });

  it('reports work that throws synchronously like any other', async () => {
    const the = stage();
    await the.turns().each('sweep', named('site', 2), () => {
      throw new TypeError('a bug');
    });
    expect(the.failed).toEqual(named('site', 2));
  });

  it('begins no further site at the maximum', async () => {
    const the = stage();
    const turns = the.turns({ underWayMax: 6 });
    const dead = named('dead', 20);
    for (const site of dead) the.silent.add(site);
    let isOver = false;
    const round = turns.each('sweep', dead, the.work).finally(() => (isOver = true));
    for (let looks = 0; looks < 50; looks++) await new Promise((resolve) => setTimeout(resolve, 1));
    // Those that may go at once begin before any of them is late.
    expect(the.mostUnderWay()).toBeLessThanOrEqual(6 + 4);
    while (!isOver) await the.answer();
    await round;
    expect(the.began().sort()).toEqual(dead.sort());
  });

  it('gives failed sites their turns again, although others never answer', async () => {
    const the = stage();
    const turns = the.turns();
    const [dead, back] = [named('dead', 9), named('back', 1)];
    for (const site of dead) the.silent.add(site);
    for (const site of back) the.failing.add(site);
    await turns.each('sweep', [...dead, ...back], the.work);
    the.failing.clear();
    the.pass(REST_MS);
    await turns.each('online', [...dead, ...back], the.work);
    while (the.answered().length === 0) await turnOfEventLoop();
    expect(the.began().filter((site) => site === back[0])).toHaveLength(2);
  });

  it('begins nothing once it is stopped', async () => {
    const the = stage();
    const turns = the.turns();
    const sites = named('site', 3);
    for (const site of sites) the.silent.add(site);
    await turns.each('sweep', sites, the.work);
    await turns.each('repair', sites, the.work);
    the.began();
    turns.stop();
    await the.answer();
    await turns.each('online', sites, the.work);
    expect(the.began()).toEqual([]);
  });
});
