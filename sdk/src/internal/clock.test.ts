import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OwnTyping } from '../conversation/typing.ts';
import { ReliableChannel } from '../delivery/reliable-channel.ts';
import { TIMES, type ConversationId, type Run } from '../protocol/index.ts';
import { RequestRetrier } from '../commands/request-retrier.ts';
import { ReportSender } from '../commands/report-sender.ts';
import { atLeastSince, momentNow } from './clock.ts';

const HOUR_MS = 3_600_000;

/** The machine's clock is set; timers and durations go on as they were. */
const step = (byMs: number) => void vi.setSystemTime(Date.now() + byMs);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('step of the clock %s', (_, byMs) => {
  it('does not affect the duration of a throttle', () => {
    const channel = new ReliableChannel({
      conversationId: 'c_1' as ConversationId,
      memory: 'new',
      newRun: () => 'run' as Run,
      path: { send: () => undefined },
      store: { markDirty: () => undefined, flush: () => undefined },
      receive: () => undefined,
      receiveUnnumbered: () => undefined,
      acknowledged: () => undefined,
    });
    channel.pause(8_000);
    vi.advanceTimersByTime(1_000);
    step(byMs);
    expect(channel.pausedForMs).toBe(7_000);
    channel.abandon();
  });

  it('neither silences typing nor sends it more often', () => {
    const told: boolean[] = [];
    const typing = new OwnTyping((on) => told.push(on));
    typing.set(true);
    step(byMs);
    vi.advanceTimersByTime(TIMES.typingEveryMs - 1);
    typing.set(true);
    expect(told).toEqual([true]);
    vi.advanceTimersByTime(1);
    typing.set(true);
    expect(told).toEqual([true, true]);
  });

  it('does not affect the time in which a conversation may be reported', async () => {
    const asked: string[] = [];
    const retrier = new RequestRetrier({
      isReady: () => true,
      request: (name) => {
        asked.push(name);
        return Promise.resolve({ kind: 'answered', data: { status: 'reported' } } as never);
      },
    });
    const reports = new ReportSender(retrier);
    const id = 'c_1' as ConversationId;
    reports.ended(id, [], null);
    step(byMs);
    vi.advanceTimersByTime(TIMES.reportMs - 1);
    await reports.send({ reason: 'spam' }, id, null, null);
    expect(asked).toEqual(['conversation:report']);
    vi.advanceTimersByTime(1);
    await expect(reports.send({ reason: 'spam' }, id, null, null)).rejects.toMatchObject({
      code: 'not_in_conversation',
    });
  });
});

describe('atLeastSince', () => {
  it('uses the wall clock if the monotonic one slept, and the monotonic one if that was set back', () => {
    const moment = momentNow();
    step(10_000);
    expect(atLeastSince(moment)).toBe(10_000);
    step(-20_000);
    vi.advanceTimersByTime(5_000);
    expect(atLeastSince(moment)).toBe(5_000);
  });
});
