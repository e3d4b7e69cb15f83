import { expect, test } from 'vitest';
import { Metrics } from '../observability/metrics.ts';
import { FrameLimiter } from './frame-limiter.ts';
import { RATE_LIMITS } from '../limits/rate-limits.ts';
import { quotaRefusals, SessionRateLimiter } from './session-rate-limiter.ts';

const { points: MESSAGES } = RATE_LIMITS.messages.session;
const { points: FRAMES } = RATE_LIMITS.frames.session;

function limiterWith(factor = 1) {
  let now = 1_000_000;
  /** Times after which the visitor was told to resend. */
  const told: number[] = [];
  const metrics = new Metrics();
  const clock = () => now;
  const limiter = new SessionRateLimiter({ clock, factor, refusals: quotaRefusals(metrics) });
  const frames = new FrameLimiter({ limiter, clock });
  const isAdmitted = (isNumbered: boolean) => {
    const admission = frames.admit(isNumbered);
    if (admission.kind === 'throttled') told.push(admission.retryAfterMs);
    return admission.kind === 'admitted';
  };
  const send = (count: number, isNumbered = true) =>
    Array.from({ length: count }, () => isAdmitted(isNumbered)).filter(Boolean).length;
  return { limiter, metrics, told, send, now: clock, pass: (ms: number) => void (now += ms) };
}

test('passes a burst, and reports an excess once', () => {
  const { told, send } = limiterWith();
  expect(send(MESSAGES + 50)).toBe(MESSAGES);
  expect(told).toEqual([8_000]);
});

test('passes nothing until the announced time, and then everything a client has in flight', () => {
  const { told, send, pass } = limiterWith();
  send(MESSAGES + 1);
  pass(7_999);
  expect(send(10)).toBe(0);
  pass(1);
  expect(send(32)).toBe(32);
  expect(told).toHaveLength(1);
  expect(send(1)).toBe(0);
  expect(told).toHaveLength(2);
});

test('passes everything of a client that respects the announced time', () => {
  const { told, send, pass } = limiterWith();
  send(MESSAGES + 1);
  for (let round = 0; round < 5; round++) {
    pass(told.at(-1)!);
    expect(send(33)).toBe(32);
  }
  expect(told.slice(1)).toEqual([8_000, 8_000, 8_000, 8_000, 8_000]);
});

test('drops typing and acknowledgements beyond their quota silently', () => {
  const { told, send } = limiterWith();
  expect(send(FRAMES + 100, false)).toBe(FRAMES);
  expect(told).toEqual([]);
});

test('reports a message without room left by typing like any other', () => {
  const { told, send, pass } = limiterWith();
  send(FRAMES, false);
  expect(send(1)).toBe(0);
  expect(told).toEqual([1_280]);
  pass(1_280);
  expect(send(32)).toBe(32);
});

test('passes acknowledgements while messages are dropped', () => {
  const { send } = limiterWith();
  send(MESSAGES + 1);
  expect(send(20, false)).toBe(20);
});

test('counts dropped frames by the quota that was used up', () => {
  const { send, metrics } = limiterWith();
  const counted = () => [
    metrics.countOf('passerby_limits_met_total', { limit: 'messages', scope: 'session' }),
    metrics.countOf('passerby_limits_met_total', { limit: 'frames', scope: 'session' }),
  ];
  send(MESSAGES + 5);
  expect(counted()).toEqual([5, 0]);
  send(FRAMES, false);
  expect(counted()).toEqual([5, MESSAGES + 1]);
});

test('ends a throttle with a small factor too', () => {
  const { told, send, pass } = limiterWith(0.1);
  expect(send(32)).toBe(6);
  pass(told[0]!);
  expect(send(32)).toBe(6);
});

test('a quota that was used is full again after its window', () => {
  const { limiter, send, now, pass } = limiterWith();
  expect(limiter.msUntilFull(now())).toBe(0);
  send(RATE_LIMITS.messages.session.points);
  expect(limiter.msUntilFull(now())).toBe(RATE_LIMITS.messages.session.windowMs);
  pass(RATE_LIMITS.messages.session.windowMs);
  expect(limiter.msUntilFull(now())).toBe(0);
});
