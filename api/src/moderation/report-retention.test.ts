import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { listLog } from '../../test/harness.ts';
import { forgetReports } from './report-retention.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('deletes old reports at the start and every hour, also after a failure', async () => {
  const asked: number[] = [];
  const log = listLog();
  const forget = (now: number) => {
    asked.push(now);
    return asked.length === 2 ? Promise.reject(new Error('away')) : Promise.resolve();
  };
  const stop = forgetReports({ forget }, () => asked.length, log);
  await vi.advanceTimersByTimeAsync(2 * 60 * 60_000);
  expect(asked).toEqual([0, 1, 2]);
  expect(log.lines).toMatchObject([
    { level: 'warn', message: 'old reports could not be deleted, and will be tried again' },
  ]);
  stop();
  await vi.advanceTimersByTimeAsync(5 * 60 * 60_000);
  expect(asked).toHaveLength(3);
});
