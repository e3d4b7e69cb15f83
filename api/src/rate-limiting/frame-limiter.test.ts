import { expect, test } from 'vitest';
import { Tally } from '../observability/tally.ts';
import type { SessionId } from '../domain/ids.ts';
import { FrameLimiter } from './frame-limiter.ts';
import { RATE_LIMITS } from '../limits/rate-limits.ts';
import { SessionRateLimiter } from './session-rate-limiter.ts';

const A = 's_a' as SessionId;
const B = 's_b' as SessionId;
const { points: MESSAGES } = RATE_LIMITS.messages.session;
const { points: FRAMES } = RATE_LIMITS.frames.session;

function gateAt(factor = 1) {
  let now = 1_000_000;
  const told: { sessionId: SessionId; retryAfterMs: number }[] = [];
  const sessionLimiter = new SessionRateLimiter(() => now, factor);
  const tally = new Tally();
  const gate = new FrameLimiter(
    sessionLimiter,
    tally,
    () => now,
    (sessionId, retryAfterMs) => told.push({ sessionId, retryAfterMs }),
  );
  const send = (count: number, isNumbered = true, sessionId = A) =>
    Array.from({ length: count }, () => gate.admits(sessionId, isNumbered)).filter(Boolean).length;
  return { sessionLimiter, tally, told, send, pass: (ms: number) => void (now += ms) };
}

test('a burst gets through, and who goes on is told once', () => {
  const { told, send } = gateAt();
  expect(send(MESSAGES + 50)).toBe(MESSAGES);
  expect(told).toEqual([{ sessionId: A, retryAfterMs: 8_000 }]);
});

test('until that time is over nothing gets through, and then all that a client has under way does', () => {
  const { told, send, pass } = gateAt();
  send(MESSAGES + 1);
  pass(7_999);
  expect(send(10)).toBe(0);
  pass(1);
  expect(send(32)).toBe(32);
  expect(told).toHaveLength(1);
  expect(send(1)).toBe(0);
  expect(told).toHaveLength(2);
});

test('who sends as told gets everything through, one window after the other', () => {
  const { told, send, pass } = gateAt();
  send(MESSAGES + 1);
  for (let round = 0; round < 5; round++) {
    pass(told.at(-1)!.retryAfterMs);
    expect(send(33)).toBe(32);
  }
  expect(told.slice(1).map(({ retryAfterMs }) => retryAfterMs)).toEqual([8_000, 8_000, 8_000, 8_000, 8_000]);
});

test('typing and acknowledgements beyond theirs are dropped without a word', () => {
  const { told, send } = gateAt();
  expect(send(FRAMES + 100, false)).toBe(FRAMES);
  expect(told).toEqual([]);
});

test('a message for which typing left no room is told as any other', () => {
  const { told, send, pass } = gateAt();
  send(FRAMES, false);
  expect(send(1)).toBe(0);
  expect(told).toEqual([{ sessionId: A, retryAfterMs: 1_280 }]);
  pass(1_280);
  expect(send(32)).toBe(32);
});

test('acknowledgements get through while messages do not', () => {
  const { send } = gateAt();
  send(MESSAGES + 1);
  expect(send(20, false)).toBe(20);
});

test('what is dropped is counted by the quota that was used up', () => {
  const { send, tally } = gateAt();
  const counted = () => [tally.countOf('limited_messages_session'), tally.countOf('limited_frames_session')];
  send(MESSAGES + 5);
  expect(counted()).toEqual([5, 0]);
  send(FRAMES, false);
  expect(counted()).toEqual([5, MESSAGES + 1]);
});

test('one session’s flood is no other’s', () => {
  const { send } = gateAt();
  send(1_000);
  expect(send(MESSAGES, true, B)).toBe(MESSAGES);
});

test('a small factor still has an end', () => {
  const { told, send, pass } = gateAt(0.1);
  expect(send(32)).toBe(6);
  pass(told[0]!.retryAfterMs);
  expect(send(32)).toBe(6);
});

test('who has been quiet is forgotten', () => {
  const { sessionLimiter, send, pass } = gateAt();
  send(10);
  expect(sessionLimiter.size).toBe(1);
  pass(120_000);
  send(1, true, B);
  expect(sessionLimiter.size).toBe(1);
});
