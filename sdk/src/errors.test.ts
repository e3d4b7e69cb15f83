import { expect, test } from 'vitest';
import { ChatError, CLIENT_ERRORS, type ChatErrorCode } from './errors.ts';
import { ERRORS } from './protocol/index.ts';

test('an error of either table knows its words and what may be done about it', () => {
  for (const [code, row] of Object.entries({ ...ERRORS, ...CLIENT_ERRORS })) {
    expect(new ChatError(code as ChatErrorCode)).toMatchObject({ code, message: row.message, retry: row.retry });
  }
});

test("the SDK's own codes are none of the service's", () => {
  expect(Object.keys(CLIENT_ERRORS).filter((code) => code in ERRORS)).toEqual([]);
});

test('a refusal keeps the words and the delay it travelled with', () => {
  const error = ChatError.fromWire({ code: 'rate_limited', message: 'Slow down.', retryAfterMs: 1_500 });
  expect(error).toMatchObject({ code: 'rate_limited', message: 'Slow down.', retryAfterMs: 1_500 });
  expect(error).toBeInstanceOf(Error);
});

test('a code this client does not know is internal', () => {
  expect(ChatError.fromWire({ code: 'from_the_future' as 'internal', message: '?' }).code).toBe('internal');
});

test('S36 a refusal repeats no secret key, whoever put it there', () => {
  const message = 'No site "sk_live_canary-1_x" here (sk_test_canary2).';
  expect(ChatError.fromWire({ code: 'origin_refused', message }).message).toBe('No site "sk_…" here (sk_…).');
});
