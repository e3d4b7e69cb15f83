import { expect, test } from 'vitest';
import { ChatError, CLIENT_ERRORS, type ChatErrorCode } from './errors.ts';
import { ERRORS } from './protocol/index.ts';

test('an error has the message and the retry of its table', () => {
  for (const [code, row] of Object.entries({ ...ERRORS, ...CLIENT_ERRORS })) {
    expect(new ChatError(code as ChatErrorCode)).toMatchObject({ code, message: row.message, retry: row.retry });
  }
});

test("the SDK's own codes are distinct from the service's", () => {
  expect(Object.keys(CLIENT_ERRORS).filter((code) => code in ERRORS)).toEqual([]);
});

test('a refusal keeps its message and delay', () => {
  const error = ChatError.fromWire({ code: 'rate_limited', message: 'Slow down.', retryAfterMs: 1_500 });
  expect(error).toMatchObject({ code: 'rate_limited', message: 'Slow down.', retryAfterMs: 1_500 });
  expect(error).toBeInstanceOf(Error);
});

test('an unknown code becomes internal', () => {
  expect(ChatError.fromWire({ code: 'from_the_future' as 'internal', message: '?' }).code).toBe('internal');
});

test('S36 a refusal repeats no secret key, whatever its origin', () => {
  const message = 'No site "sk_live_canary-1_x" here (sk_test_canary2).';
  expect(ChatError.fromWire({ code: 'origin_refused', message }).message).toBe('No site "sk_…" here (sk_…).');
});
