import { TIMES, type ConversationId } from '@passerby/sdk/protocol';
import { describe, expect, it } from 'vitest';
import type { SessionId } from '../domain/ids.ts';
import { HeardPeers } from './heard-peers.ts';

const [A, B] = ['s_a', 's_b'] as SessionId[] as [SessionId, SessionId];
const [ONE, OTHER] = ['c_1', 'c_2'] as ConversationId[] as [ConversationId, ConversationId];

function heardAt(max?: number) {
  let now = 0;
  const heard = new HeardPeers(() => now, max);
  return { heard, pass: (ms: number) => void (now += ms) };
}

describe('HeardPeers', () => {
  it('distinguishes visitors and conversations', () => {
    const { heard } = heardAt();
    heard.remember(A, ONE);
    expect([heard.has(A, ONE), heard.has(A, OTHER), heard.has(B, ONE)]).toEqual([true, false, false]);
  });

  it('remembers for as long as a visitor who left may report', () => {
    const { heard, pass } = heardAt();
    heard.remember(A, ONE);
    pass(TIMES.reportMs - 1);
    expect(heard.has(A, ONE)).toBe(true);
    heard.remember(A, ONE);
    pass(TIMES.reportMs - 1);
    expect(heard.has(A, ONE)).toBe(true);
    pass(1);
    expect(heard.has(A, ONE)).toBe(false);
    heard.remember(B, ONE);
    expect(heard.size).toBe(1);
  });

  it('is bounded to the latest visitors', () => {
    const { heard } = heardAt(2);
    for (const id of ['s_1', 's_2', 's_3'] as SessionId[]) heard.remember(id, ONE);
    expect(heard.size).toBe(2);
    expect([heard.has('s_1' as SessionId, ONE), heard.has('s_3' as SessionId, ONE)]).toEqual([false, true]);
  });
});
