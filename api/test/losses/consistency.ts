import type { Inspection } from '../model/world.ts';

const sorted = (list: readonly string[]) => JSON.stringify([...list].sort());

export function expectSame(what: string, found: readonly string[], expected: readonly string[]): void {
  if (sorted(found) !== sorted(expected)) throw new Error(`${what}: ${sorted(found)}, not ${sorted(expected)}`);
}

/** Throws unless every entry leads to something and every entry is listed where it is looked up. */
export function assertConsistent(state: Inspection): void {
  const sessions = Object.entries(state.sessions);
  const ids = (is: (record: (typeof sessions)[number][1]) => boolean) =>
    sessions.filter(([, one]) => is(one)).map(([id]) => id);
  const talking = Object.entries(state.conversations).flatMap(([id, sides]) => sides.map((side) => `${side} ${id}`));
  expectSame(
    'I1 I2 who sits where',
    talking,
    sessions.flatMap(([id, { conversationId }]) => (conversationId === '' ? [] : [`${id} ${conversationId}`])),
  );
  expectSame(
    'placed',
    state.placed,
    ids(({ isAway }) => !isAway),
  );
  expectSame(
    'away',
    state.away,
    ids(({ isAway }) => isAway),
  );
  const waiting = Object.keys(state.waits);
  const free = ids(({ conversationId }) => conversationId === '');
  expectSame(
    'who waits and is gone, or talks',
    waiting.filter((id) => !free.includes(id)),
    [],
  );
  expectSame(
    'in the queue',
    state.inQueue,
    waiting.filter((id) => !state.sessions[id]!.isAway),
  );
  if (state.indexed !== state.tagged) throw new Error(`${state.indexed} entries of ${state.tagged} tags`);
  expectSame(
    'due and not in the queue',
    state.due.filter((id) => !state.inQueue.includes(id)),
    [],
  );
  expectSame(
    'who has a token',
    [...new Set(Object.values(state.tokens))],
    ids(() => true),
  );
  expectSame('pending matches', state.pendingMatches, state.unconfirmed);
}
