import { describe, expect, it } from 'vitest';
import { FairScheduler } from './fair-scheduler.ts';

/** Resolves in the next turn of the event loop, after all callbacks due in this one. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Queues a holder with that many pieces of work, which notes the turn of each. */
function worker(turns: FairScheduler, name: string, pieces: number, done: [string, number][], takesMs = 0) {
  let left = pieces;
  turns.wait({
    doNext: () => {
      const until = performance.now() + takesMs;
      while (performance.now() < until);
      done.push([name, turns.turn]);
      left -= 1;
      return left > 0;
    },
  });
}

async function allDone(done: readonly unknown[], count: number): Promise<void> {
  while (done.length < count) await nextTurn();
}

describe('Turns', () => {
  it('runs work at once while there is time and nobody waits', async () => {
    const turns = new FairScheduler();
    expect([turns.mayBegin(), turns.mayBegin()]).toEqual([true, true]);
    turns.wait({ doNext: () => false });
    expect(turns.mayBegin()).toBe(false);
    await nextTurn();
    await nextTurn();
    await nextTurn();
    expect(turns.mayBegin()).toBe(true);
  });

  it('runs one piece of each in a turn, in the order in which they wait', async () => {
    const turns = new FairScheduler(60_000);
    const done: [string, number][] = [];
    worker(turns, 'a', 3, done);
    worker(turns, 'b', 1, done);
    worker(turns, 'c', 2, done);
    await allDone(done, 6);
    expect(done.map(([name]) => name)).toEqual(['a', 'b', 'c', 'a', 'c', 'a']);
    const turnsOfA = done.filter(([name]) => name === 'a').map(([, turn]) => turn);
    expect(new Set(turnsOfA).size).toBe(3);
  });

  it('continues with the rest in later turns, and forgets nobody', async () => {
    const turns = new FairScheduler(0);
    const done: [string, number][] = [];
    for (const name of ['a', 'b', 'c', 'd']) worker(turns, name, 2, done, 1);
    await allDone(done, 8);
    expect(new Set(done.map(([, turn]) => turn)).size).toBe(8);
    expect(done.map(([name]) => name)).toEqual(['a', 'b', 'c', 'd', 'a', 'b', 'c', 'd']);
  });

  it('runs one piece in a turn however late it is', async () => {
    const turns = new FairScheduler(1);
    const done: [string, number][] = [];
    worker(turns, 'a', 3, done);
    while (done.length < 3) {
      await nextTurn();
      const until = performance.now() + 5;
      while (performance.now() < until);
    }
    expect(done).toHaveLength(3);
  });
});
