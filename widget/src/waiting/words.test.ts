import { describe, expect, it } from 'vitest';
import { waitWords } from './words.ts';

type Progress = NonNullable<Parameters<typeof waitWords>[0]['progress']>;

const wordsAt = (waitedMs: number, progress: Partial<Progress> | null = null, hasTopic = true) =>
  waitWords(
    {
      status: 'waiting',
      since: 0,
      progress: progress && { waitingForMs: waitedMs, reach: 'topic', widen: [], ...progress },
    },
    waitedMs,
    hasTopic,
  );

describe('texts of a wait', () => {
  it('begin with this page, if there is one', () => {
    expect(wordsAt(0)).toEqual({ heading: 'waitingTopic', line: 'waitingNext', values: {} });
    expect(wordsAt(0, null, false)).toEqual({ heading: 'waitingHeading', line: 'waitingSoon', values: {} });
  });

  it.each([
    ['topic', 'waitingTopic', 'waitingNext'],
    ['section', 'waitingSection', 'waitingNext'],
    ['site', 'waitingSite', 'waitingSoon'],
  ] as const)('follow the reach of the service: %s', (reach, heading, line) => {
    expect(wordsAt(4_000, { reach })).toMatchObject({ heading, line });
  });

  it('contain the estimate, unless it is too short to be read', () => {
    expect(wordsAt(4_000, { etaMs: 7_600 })).toMatchObject({ line: 'waitingEstimate', values: { seconds: 8 } });
    expect(wordsAt(4_000, { etaMs: 900 }).line).toBe('waitingNext');
  });

  it('mention obstacles first', () => {
    const widen = [{ what: 'languages', atLeast: 5 }] as const;
    expect(wordsAt(40_000, { etaMs: 7_600, widen })).toMatchObject({ line: 'widenLanguages', values: { count: 5 } });
    expect(wordsAt(4_000, { widen: [{ what: 'groups', atLeast: 3 }] }).line).toBe('widenGroups');
  });

  it('admit a long wait, whatever was estimated', () => {
    expect(wordsAt(25_000, { etaMs: 7_600, reach: 'site' }).line).toBe('waitingLong');
  });
});
