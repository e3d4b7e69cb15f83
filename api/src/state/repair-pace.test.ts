import { describe, expect, it } from 'vitest';
import { FAST, RepairPace, SLOW } from './repair-pace.ts';
import type { SiteId } from '../domain/ids.ts';
import type { RepairOutcome } from './state-store.ts';

const [SITE, OTHER] = ['site_a', 'site_b'] as [SiteId, SiteId];
const WELL: RepairOutcome = { notices: [], isMore: false, isElsewhere: false, mended: {}, areCountsAtOdds: false };

function stage() {
  const time = { now: 0 };
  const pace = new RepairPace(() => time.now);
  return { time, pace, maxOf: (site = SITE) => pace.of(site).max * pace.of(site).calls };
}

describe('pace of repairs', () => {
  it('is slow in normal operation', () => {
    const { pace, maxOf } = stage();
    pace.noteOutcome(SITE, WELL);
    expect([maxOf(), SLOW.max * SLOW.calls, FAST.max * FAST.calls]).toEqual([20, 20, 300]);
  });

  it.each([
    ['something was put right', (pace: RepairPace) => pace.noteOutcome(SITE, { ...WELL, isMore: true })],
    ['counts disagree', (pace: RepairPace) => pace.noteOutcome(SITE, { ...WELL, areCountsAtOdds: true })],
    ['the node was corrected', (pace: RepairPace) => pace.noteSign(SITE)],
  ])('is fast on that site for a minute after %s', (_, note) => {
    const { time, pace, maxOf } = stage();
    note(pace);
    time.now = 59_999;
    expect([maxOf(), maxOf(OTHER)]).toEqual([300, 20]);
    time.now = 60_000;
    expect(maxOf()).toBe(20);
  });

  it('is fast everywhere for a minute after an outage of the store', () => {
    const { time, pace, maxOf } = stage();
    pace.noteSignEverywhere();
    expect([maxOf(), maxOf(OTHER)]).toEqual([300, 300]);
    time.now = 60_000;
    expect(maxOf()).toBe(20);
  });

  it('is reset once a site was dropped', () => {
    const { pace, maxOf } = stage();
    pace.noteSign(SITE);
    pace.keepOnly([OTHER]);
    expect(maxOf()).toBe(20);
  });
});
