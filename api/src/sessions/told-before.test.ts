import { TIMES, type ConversationId } from '@passerby/sdk/protocol';
import { describe, expect, it } from 'vitest';
import type { SessionId } from '../domain/ids.ts';
import { ToldBefore } from './told-before.ts';

const visitor = 's_a' as SessionId;
const [one, two] = ['c_1', 'c_2'] as [ConversationId, ConversationId];

describe('ToldBefore', () => {
  it('considers a conversation over that started before the latest notice', () => {
    const told = new ToldBefore(() => 0);
    told.note(visitor, 5, null);
    expect(told.isOver(visitor, one, 4)).toBe(true);
    expect(told.isOver(visitor, one, 6)).toBe(false);
  });

  it("does not consider the visitor's own conversation over", () => {
    const told = new ToldBefore(() => 0);
    told.note(visitor, 5, one);
    expect(told.isOver(visitor, one, 4)).toBe(false);
    expect(told.isOver(visitor, two, 4)).toBe(true);
  });

  it('keeps notices of an earlier connection', () => {
    const told = new ToldBefore(() => 0);
    told.note(visitor, 5, one);
    told.note(visitor, 0, null);
    expect(told.isOver(visitor, one, 4)).toBe(false);
    expect(told.isOver(visitor, two, 4)).toBe(true);
  });

  it('remembers for the grace period, and nothing for a store that never goes back', () => {
    let now = 0;
    const told = new ToldBefore(() => now);
    told.note(visitor, 0, null);
    expect(told.size).toBe(0);
    told.note(visitor, 5, null);
    now = TIMES.graceMs - 1;
    told.forget();
    expect(told.size).toBe(1);
    now = TIMES.graceMs;
    told.forget();
    expect(told.size).toBe(0);
  });
});
