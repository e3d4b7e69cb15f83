import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TIMES } from '../protocol/index.ts';
import { OwnTyping, PeerTyping } from './typing.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('own typing', () => {
  function own(): { typing: OwnTyping; told: boolean[] } {
    const told: boolean[] = [];
    return { typing: new OwnTyping((on) => told.push(on)), told };
  }

  test('is sent once in two seconds', () => {
    const { typing, told } = own();
    for (let ms = 0; ms < TIMES.typingEveryMs * 3; ms += 50) {
      typing.set(true);
      vi.advanceTimersByTime(50);
    }
    expect(told).toEqual([true, true, true]);
  });

  test('sends the stop once, and only after a start', () => {
    const { typing, told } = own();
    typing.set(false);
    typing.set(true);
    typing.set(false);
    typing.set(false);
    expect(told).toEqual([true, false]);
  });

  test('is throttled when it alternates quickly', () => {
    const { typing, told } = own();
    for (let turn = 0; turn < 50; turn += 1) {
      typing.set(true);
      typing.set(false);
    }
    expect(told).toEqual([true, false]);
  });

  test('needs no stop after a message, which clears it at the peer', () => {
    const { typing, told } = own();
    typing.set(true);
    typing.messageSent();
    typing.set(false);
    expect(told).toEqual([true]);
  });
});

describe("the peer's typing", () => {
  function peer(): { typing: PeerTyping; seen: boolean[] } {
    const seen: boolean[] = [];
    return { typing: new PeerTyping((isTyping) => seen.push(isTyping)), seen };
  }

  test('ends without further frames', () => {
    const { typing, seen } = peer();
    typing.set(true);
    vi.advanceTimersByTime(TIMES.typingForgetMs - 1);
    expect(seen).toEqual([true]);
    vi.advanceTimersByTime(1);
    expect(seen).toEqual([true, false]);
    expect(typing.isTyping).toBe(false);
  });

  test('lasts as long as frames come, and is emitted once', () => {
    const { typing, seen } = peer();
    for (let sign = 0; sign < 10; sign += 1) {
      typing.set(true);
      vi.advanceTimersByTime(TIMES.typingEveryMs);
    }
    expect(seen).toEqual([true]);
  });

  test('ends at once with a stop, and ignores a second one', () => {
    const { typing, seen } = peer();
    typing.set(false);
    typing.set(true);
    typing.set(false);
    typing.set(false);
    expect(seen).toEqual([true, false]);
  });

  test('leaves no timer and emits nothing after the end', () => {
    const { typing, seen } = peer();
    typing.set(true);
    typing.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(seen).toEqual([true]);
  });
});
