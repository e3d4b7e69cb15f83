import { expect, test } from 'vitest';
import { ATTACKS } from './stalls/attacks.ts';
import { measure } from './stalls/measure.ts';

/** Part of the names of the entrances to be measured; all if unset. */
const only = process.env['PASSERBY_STALL'];
const names = Object.keys(ATTACKS).filter((name) => only === undefined || name.includes(only));

/** Work that takes 50 ms, the goal, on the machine whose figures docs/security.md shows. */
function work(): void {
  const row = {
    id: 'c_xxxxxxxxxxxxxxxxxxxxxx',
    run: 'r',
    seq: 1,
    ack: 0,
    body: { kind: 'text', text: 'x'.repeat(40) },
  };
  for (let round = 0; round < 46_000; round++) JSON.parse(JSON.stringify(row));
}

/** CPU time of that work on this machine now, in milliseconds. */
function workMs(): number {
  const times = Array.from({ length: 9 }, () => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  });
  return times.sort((one, other) => one - other)[4]!;
}

const column = (ms: number) => ms.toFixed(1).padStart(8);

/** What else the machine does makes a turn longer, never shorter: of several measurements the shortest says most. */
const TRIES = 3;

test.each(names)('S29 one address holds up the service for no longer than 50 ms of work takes: %s', async (name) => {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least >= 1; tries++) {
    const goalMs = workMs();
    const { turnMs, maxMs, p99Ms, idleMaxMs } = await measure(name);
    process.stdout.write(
      `${name.padEnd(84)} longest turn ${column(turnMs)}, late at most ${column(maxMs)}, p99 ${column(p99Ms)}, ` +
        `idle process ${column(idleMaxMs)}, work ${column(goalMs)}\n`,
    );
    least = Math.min(least, turnMs / goalMs);
  }
  expect(least).toBeLessThan(1);
});
