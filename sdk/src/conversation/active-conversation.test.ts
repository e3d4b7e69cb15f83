import { describe, expect, it } from 'vitest';
import type { ConversationId } from '../protocol/index.ts';
import { ActiveConversation, type ActiveConversationParts } from './active-conversation.ts';

const id = (number: number): ConversationId => `c${number}` as ConversationId;

describe('ActiveConversation', () => {
  it('remembers the last sixteen that ended, though the service tells each end once more', () => {
    const active = new ActiveConversation({} as ActiveConversationParts);
    for (let number = 0; number < 17; number += 1) {
      active.noteEnded(id(number));
      active.noteEnded(id(number));
    }
    const remembered = Array.from({ length: 17 }, (_, number) => active.hasEnded(id(number)));
    expect(remembered).toEqual([false, ...Array.from({ length: 16 }, () => true)]);
  });
});
