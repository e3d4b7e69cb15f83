import { ChatError, type ChatState } from '@passerby/sdk';
import { expect, it } from 'vitest';
import { gapOf } from './gap.ts';

const chatting = (presence: 'here' | 'away'): ChatState => ({
  status: 'chatting',
  conversationId: 'c_1' as never,
  shared: { interests: [], isSameTopic: false },
  peer: { presence, isTyping: false },
  messages: [],
});

it('lets the discs overlap while the peer is here, less while they are away, and part at the end', () => {
  const ended = gapOf({ status: 'refused', error: new ChatError('internal') }, 0);
  const gaps = [
    gapOf(chatting('here'), 0),
    gapOf(chatting('away'), 0),
    1,
    gapOf({ status: 'waiting', since: 0, progress: null }, 9e9),
    ended,
  ];
  expect(gaps).toEqual(gaps.toSorted((a, b) => a - b));
  expect(new Set(gaps).size).toBe(gaps.length);
});
