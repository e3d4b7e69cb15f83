import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { listLog } from '../../test/harness.ts';
import { refOf, TestVisitors } from '../../test/local-visitor.ts';
import { Refusal } from '../errors.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { SessionId } from '../domain/ids.ts';
import type { SessionRef } from '../domain/session.ts';
import type { StateStore, Survey } from '../state/state-store.ts';
import { DEFAULT_MATCH_RULES } from '../matching/rules.ts';
import { statusFrom, WaitStatusNotifier } from './wait-status.ts';

const survey: Survey = {
  waitedMs: 0,
  typicalWaitMs: null,
  networks: 0,
  otherLanguageNetworks: 0,
};
const statusOf = (part: Partial<Survey>, rules = DEFAULT_MATCH_RULES) => statusFrom({ ...survey, ...part }, rules);

describe('statusFrom', () => {
  test.each([
    [0, 'topic'],
    [1_500, 'section'],
    [3_000, 'site'],
    [60_000, 'site'],
  ])('reports after %i ms the reach: %s', (waitedMs, reach) => {
    expect(statusOf({ waitedMs })).toMatchObject({ waitingForMs: waitedMs, reach });
  });

  test('estimates the rest from recent waits, in few steps, and omits it once this one is longer', () => {
    expect(statusOf({ typicalWaitMs: 4_000, waitedMs: 1_000 }).etaMs).toBe(4_000);
    expect([5_000, 5_001, 9_999].map((typicalWaitMs) => statusOf({ typicalWaitMs }).etaMs)).toEqual([
      5_000, 10_000, 10_000,
    ]);
    expect(statusOf({ typicalWaitMs: 4_000, waitedMs: 5_000 })).not.toHaveProperty('etaMs');
    expect(statusOf({ typicalWaitMs: 320_001 })).not.toHaveProperty('etaMs');
    expect(statusOf({})).not.toHaveProperty('etaMs');
  });

  it.each([
    [0, []],
    [4, []],
    [5, [{ what: 'languages', atLeast: 5 }]],
  ])('S34 reports others with another language from %i networks as: %j', (otherLanguageNetworks, widen) => {
    expect(statusOf({ otherLanguageNetworks }).widen).toEqual(widen);
  });

  it('omits languages once they are no longer needed', () => {
    expect(statusOf({ otherLanguageNetworks: 5, waitedMs: 6_000 }).widen).toEqual([]);
    expect(
      statusOf(
        { otherLanguageNetworks: 5, networks: 5, waitedMs: 6_000 },
        { ...DEFAULT_MATCH_RULES, isLanguageHard: true },
      ).widen,
    ).toEqual([{ what: 'languages', atLeast: 5 }]);
  });

  it('S34 reports groups at the last step, from five networks on', () => {
    expect(statusOf({ networks: 4, waitedMs: 6_000 }).widen).toEqual([]);
    expect(statusOf({ networks: 5, waitedMs: 6_000 }).widen).toEqual([{ what: 'groups', atLeast: 5 }]);
    expect(statusOf({ networks: 5, waitedMs: 5_999 }).widen).toEqual([]);
  });
});

describe('round of reports', () => {
  afterEach(() => vi.useRealTimers());

  const WAITERS = 200;

  /** Waiters whose surveys are answered by hand. */
  function crowd(roundMs = 60_000, siteOf = (_: number) => 'site_a') {
    let now = 0;
    const asked: SessionId[] = [];
    const told: SessionId[] = [];
    const answers: { resolve(survey: Survey): void; reject(thrown: unknown): void }[] = [];
    const store = {
      survey: ({ sessionId }: SessionRef) => {
        asked.push(sessionId);
        return new Promise<Survey>((resolve, reject) => answers.push({ resolve, reject }));
      },
    } as unknown as StateStore;
    const sites = { rulesOf: () => DEFAULT_MATCH_RULES } as unknown as SiteDirectory;
    const visitors = new TestVisitors(() => now);
    const { local } = visitors;
    const reports = new WaitStatusNotifier({ store, local, sites, log: listLog(), clock: () => now, roundMs });
    const waiters = Array.from({ length: WAITERS }, (_, n) => visitors.add(refOf(String(n), siteOf(n))));
    for (const { session, connection } of waiters) {
      reports.follow(session);
      vi.spyOn(connection, 'push').mockImplementation(() => void told.push(session.ref.sessionId));
    }
    now = 2_000;
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    return {
      reports,
      local,
      waiters,
      asked,
      told,
      /** Answers all that is asked, until nothing is. */
      answerAll: async () => {
        while (answers.length > 0) {
          for (const { resolve } of answers.splice(0)) resolve(survey);
          await settled();
        }
      },
      fail: async (thrown: unknown) => {
        for (const { reject } of answers.splice(0)) reject(thrown);
        await settled();
      },
      pass: (ms: number) => (now += ms),
    };
  }

  it('runs at most 32 surveys at once, and reports to everybody', async () => {
    const { reports, asked, told, answerAll } = crowd();
    const round = reports.round();
    expect(asked).toHaveLength(32);
    await answerAll();
    await round;
    expect(new Set(told).size).toBe(WAITERS);
  });

  it('asks and tells nothing of a wait that ended before its turn, or while the store was asked', async () => {
    const { reports, waiters, asked, told, answerAll } = crowd();
    const round = reports.round();
    const [asking, next] = [waiters[0]!.session, waiters[32]!.session];
    for (const session of [asking, next]) reports.unfollow(session);
    await answerAll();
    await round;
    expect(asked).not.toContain(next.ref.sessionId);
    expect(told).toHaveLength(WAITERS - 2);
    expect(told).not.toContain(asking.ref.sessionId);
  });

  it('begins no survey once its time is over, and the next round continues there', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { reports, asked, told, answerAll } = crowd(500);
    for (let rounds = 1; rounds <= Math.ceil(WAITERS / 32); rounds++) {
      const round = reports.round();
      vi.advanceTimersByTime(501);
      await answerAll();
      await round;
      expect(told).toHaveLength(Math.min(32 * rounds, WAITERS));
    }
    expect(asked).toEqual(Array.from({ length: WAITERS }, (_, n) => `s_${n}`));
  });

  it('stops surveys of a site whose store does not answer, and later resumes them', async () => {
    const { reports, asked, answerAll, fail, pass } = crowd();
    const round = reports.round();
    await fail(new Refusal('unavailable'));
    await round;
    expect(asked).toHaveLength(32);
    pass(2_000);
    const next = reports.round();
    expect(asked.slice(32)).toContain('s_32');
    await answerAll();
    await next;
  });

  it('reports to everybody on other sites in the same round', async () => {
    const { reports, asked, told, answerAll, fail } = crowd(60_000, (n) => (n < 100 ? 'site_away' : 'site_a'));
    const round = reports.round();
    await fail(new Refusal('unavailable'));
    await answerAll();
    await round;
    expect(asked).toHaveLength(32 + 100);
    expect(told).toEqual(Array.from({ length: 100 }, (_, n) => `s_${100 + n}`));
  });

  it('continues after a missing session', async () => {
    const { reports, told, answerAll, fail } = crowd();
    const round = reports.round();
    await fail(new Refusal('session_gone'));
    await answerAll();
    await round;
    expect(told).toHaveLength(WAITERS - 32);
  });

  it('reports to nobody whose wait ended during the survey', async () => {
    const { reports, local, waiters, asked, told, answerAll, pass } = crowd();
    const [matched, gone] = [waiters[0]!.session, waiters[1]!.session];
    const round = reports.round();
    reports.unfollow(matched);
    local.remove(gone);
    reports.unfollow(gone);
    await answerAll();
    await round;
    expect(told).not.toContain(gone.ref.sessionId);
    asked.length = 0;
    pass(2_000);
    const next = reports.round();
    await answerAll();
    await next;
    expect(asked).toHaveLength(WAITERS - 2);
  });

  it('drops visitors who left this node', () => {
    const { reports, local, waiters } = crowd();
    const { session } = waiters[0]!;
    reports.unfollow(session);
    local.remove(session);
    reports.follow(session);
    expect(session.wait).toBeNull();
  });
});
