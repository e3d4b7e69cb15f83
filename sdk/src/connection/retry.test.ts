import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode, TIMES } from '../protocol/index.ts';
import { backoffMs, decideRetry, nextAttempt, RETRY } from './retry.ts';

const almostOne = (): number => 0.999_999;

describe('delay before an attempt', () => {
  test('doubles with each attempt up to a maximum', () => {
    const most = [1, 2, 3, 4, 5, 6, 7, 100].map((attempt) => backoffMs(attempt, almostOne));
    expect(most).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  test('is random between 0 and that, so that a crowd spreads', () => {
    expect(backoffMs(5, () => 0)).toBe(0);
    expect(backoffMs(5, () => 0.5)).toBe(4_000);
  });

  test('leaves several attempts within the grace period even with the worst luck', () => {
    let waited = 0;
    let attempts = 0;
    while (waited < TIMES.graceMs) waited += backoffMs((attempts += 1), almostOne);
    expect(attempts).toBeGreaterThanOrEqual(6);
  });
});

describe('decision after a lost connection', () => {
  test('retries with the same session', () => {
    expect(decideRetry({ kind: 'lost' }, 1, almostOne)).toEqual({ kind: 'again', delayMs: 500, keepsSession: true });
  });

  test('gives up if the table says never', () => {
    const decision = decideRetry({ kind: 'refused', error: { code: 'origin_refused', message: 'no' } }, 1, almostOne);
    expect(decision).toMatchObject({ kind: 'give_up', error: { code: 'origin_refused', message: 'no' } });
  });

  test('never retries earlier than the service said', () => {
    const error = { code: 'unavailable', message: '', retryAfterMs: 3_000 } as const;
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(30), (luck, attempt) => {
        const decision = decideRetry({ kind: 'refused', error }, attempt + 1, () => luck);
        return decision.kind === 'again' && decision.delayMs >= 3_000;
      }),
    );
  });

  test('retries with a new session if the session is gone', () => {
    const decision = decideRetry({ kind: 'refused', error: { code: 'session_gone', message: '' } }, 1, almostOne);
    expect(decision).toMatchObject({ kind: 'again', keepsSession: false });
  });

  test('follows the retry column of the table for every code', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const decision = decideRetry({ kind: 'refused', error: { code, message: '' } }, 1, almostOne);
      expect(decision.kind, code).toBe(ERRORS[code].retry === 'never' || code === 'banned' ? 'give_up' : 'again');
    }
  });
});

describe('number of the next attempt', () => {
  test('starts at one after a connection that lasted long enough', () => {
    expect(nextAttempt(7, RETRY.minUptimeMs)).toBe(1);
  });

  test('continues after a connection that was lost at once, to spare a service that drops clients', () => {
    expect(nextAttempt(7, RETRY.minUptimeMs - 1)).toBe(8);
    expect(nextAttempt(0, 0)).toBe(1);
  });
});
