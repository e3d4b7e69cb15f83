import { describe, expect, test } from 'vitest';
import type { ConversationId, Frame, Run } from '../protocol/index.ts';
import { Inbox, RUNS_MAX } from './inbox.ts';

function frame(seq: number, run = 'one'): Frame {
  return { conversationId: 'c' as ConversationId, run: run as Run, seq, ack: 0, body: { kind: 'x' } };
}

describe('inbox', () => {
  test('accepts the next number only, and distinguishes a repeat from a gap', () => {
    const inbox = new Inbox();
    const results = [1, 3, 2, 2, 3, 1, 0].map((seq) => inbox.accept(frame(seq)).arrival);
    expect(results).toEqual(['next', 'gap', 'next', 'repeat', 'next', 'repeat', 'unnumbered']);
    expect(inbox.last).toBe(3);
  });

  test('does not consider the first run new', () => {
    expect(new Inbox().accept(frame(1)).isNewRun).toBe(false);
  });

  test('starts at one again in a new run', () => {
    const inbox = new Inbox();
    inbox.accept(frame(1));
    inbox.accept(frame(2));
    expect(inbox.accept(frame(1, 'two'))).toEqual({ arrival: 'next', isNewRun: true });
    expect(inbox.last).toBe(1);
  });

  test('drops a late frame of a former run', () => {
    const inbox = new Inbox();
    inbox.accept(frame(1));
    inbox.accept(frame(1, 'two'));
    expect(inbox.accept(frame(2))).toEqual({ arrival: 'stale', isNewRun: false });
    expect(inbox.accept(frame(2, 'two')).arrival).toBe('next');
  });

  test('ignores a peer that invents endless runs, so that it cannot cause endless resends', () => {
    const inbox = new Inbox();
    for (let run = 0; run <= RUNS_MAX; run += 1) inbox.accept(frame(1, `run-${run}`));
    expect(inbox.accept(frame(1, 'one-more'))).toEqual({ arrival: 'stale', isNewRun: false });
  });
});
