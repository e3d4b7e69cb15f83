import { describe, expect, it, vi } from 'vitest';
import { ChatError } from '../errors.ts';
import type { ConversationId } from '../protocol/index.ts';
import { Departures } from './departures.ts';

const [c1, c2] = ['c1', 'c2'] as ConversationId[] as [ConversationId, ConversationId];

function list(): { departures: Departures; changed: () => void; outcomes: string[] } {
  const changed = vi.fn<() => void>();
  return { departures: new Departures(changed), changed, outcomes: [] };
}

function add({ departures, outcomes }: ReturnType<typeof list>, kind: 'leave' | 'block', id: ConversationId): void {
  departures.add(kind, id).then(
    () => outcomes.push(`${id} told`),
    (error: ChatError) => outcomes.push(`${id} ${error.code}`),
  );
}

/** Lets promises run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('departures', () => {
  it('are told one after the other, oldest first, and each change is to be stored', async () => {
    const here = list();
    add(here, 'leave', c1);
    add(here, 'block', c2);
    expect(here.changed).toHaveBeenCalledTimes(2);
    expect(here.departures.kept).toEqual([
      { kind: 'leave', conversationId: c1 },
      { kind: 'block', conversationId: c2 },
    ]);
    here.departures.told(here.departures.first!);
    await settle();
    expect(here.outcomes).toEqual(['c1 told']);
    expect(here.changed).toHaveBeenCalledTimes(3);
    expect([here.departures.has(c1), here.departures.has(c2)]).toEqual([false, true]);
    expect(here.departures.first).toMatchObject({ kind: 'block' });
  });

  it('of a page before are told, and nobody waits for them', () => {
    const { departures, changed } = list();
    departures.restore([{ kind: 'block', conversationId: c1 }]);
    expect(changed).not.toHaveBeenCalled();
    departures.told(departures.first!);
    expect(departures.first).toBeUndefined();
  });

  it.each<[string, recovered: boolean, running: ConversationId | null, left: string[]]>([
    ['a new session', false, null, []],
    ['a session in the conversation that was left', true, c1, ['leave c1', 'block c2']],
    ['a session in no conversation', true, null, ['block c2']],
  ])('keep on a new connection only what must still be told: %s', (_, recovered, running, left) => {
    const here = list();
    add(here, 'leave', c1);
    add(here, 'block', c2);
    here.departures.ready(recovered, running);
    expect(here.departures.kept.map(({ kind, conversationId }) => `${kind} ${conversationId}`)).toEqual(left);
  });

  it('are not waited for without a connection, apart from blocks', async () => {
    const here = list();
    add(here, 'leave', c1);
    add(here, 'block', c2);
    here.departures.stopWaiting();
    await settle();
    expect(here.outcomes).toEqual(['c1 told']);
    expect(here.departures.kept).toHaveLength(2);
  });

  it('that are dropped resolve; blocks reject where a reason is given', async () => {
    const here = list();
    add(here, 'leave', c1);
    add(here, 'block', c2);
    here.departures.clear(new ChatError('closed'));
    await settle();
    expect(here.outcomes).toEqual(['c1 told', 'c2 closed']);
    expect(here.departures.first).toBeUndefined();
  });
});
