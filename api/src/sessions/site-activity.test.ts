import { TIMES } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { refOf, TestVisitors } from '../../test/local-visitor.ts';
import { SiteActivity } from './site-activity.ts';

const LONG_AFTER_MS = TIMES.graceMs + 60_000;

/** Activity of the one site of a visitor who just left. */
function stage() {
  let now = 0;
  const visitors = new TestVisitors(() => now);
  const activity = new SiteActivity(visitors.local, () => now);
  return { visitors, activity, pass: (ms: number) => void (now += ms) };
}

describe('SiteActivity', () => {
  test('keeps a site while a visitor is connected, and for the grace period after that', () => {
    const { activity, visitors, pass } = stage();
    const { session } = visitors.add(refOf('a'));
    const { site } = session.ref;
    activity.touch(site);
    pass(LONG_AFTER_MS);
    expect([activity.nextRound(), activity.nextRound()]).toEqual([[site], [site]]);
    visitors.local.remove(session);
    pass(TIMES.graceMs);
    expect([activity.nextRound(), activity.nextRound()]).toEqual([[site], [site]]);
    pass(LONG_AFTER_MS);
    expect([activity.nextRound(), activity.nextRound()]).toEqual([[site], []]);
  });

  test('returns a site without visitors once more however late that is, and then no longer', () => {
    const { activity, pass } = stage();
    const { site } = refOf('a');
    activity.touch(site);
    pass(LONG_AFTER_MS);
    expect(activity.nextRound()).toEqual([site]);
    expect(activity.nextRound()).toEqual([]);
  });

  test('keeps a site while it has more due work than was done', () => {
    const { activity, pass } = stage();
    const { site } = refOf('a');
    activity.touch(site);
    pass(LONG_AFTER_MS);
    for (let round = 0; round < 3; round++) {
      expect(activity.nextRound()).toEqual([site]);
      activity.keep(site);
    }
    expect(activity.nextRound()).toEqual([site]);
    expect(activity.nextRound()).toEqual([]);
    expect(activity.size).toBe(0);
  });
});
