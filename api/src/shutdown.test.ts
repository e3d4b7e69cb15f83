import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Shutdown, type ShutdownParts } from './shutdown.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CANARY = 'canary-4711';

/** Events of a process, in order. */
function watched(parts: Partial<ShutdownParts> = {}) {
  const events: string[] = [];
  const logged: object[] = [];
  let finishDrain: () => void = () => undefined;
  let failDrain: (thrown: unknown) => void = () => undefined;
  const shutdown = new Shutdown({
    drain: () => {
      events.push('drain');
      return new Promise((resolve, reject) => {
        finishDrain = resolve;
        failDrain = reject;
      });
    },
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (fields, message) => {
        events.push(message);
        logged.push(fields);
      },
    },
    say: (line) => void events.push(line),
    exit: (code) => void events.push(`exit ${code}`),
    isHeldUp: () => false,
    kill: () => void events.push('kill'),
    endMaxMs: 1_000,
    ...parts,
  });
  const settled = () => vi.advanceTimersByTimeAsync(0);
  return {
    shutdown,
    events,
    logged,
    settled,
    finishDrain: () => (finishDrain(), settled()),
    failDrain: (thrown: unknown) => (failDrain(thrown), settled()),
  };
}

const FAULT = 'uncaught error: draining, then ending';
const LATE = 'shutdown deadline passed: ending the process';
const REPEATED = 'already draining, ends within 10 s; only SIGKILL is faster';

describe('signal', () => {
  it('drains, and exits with 0 once that is done', async () => {
    const { shutdown, events, finishDrain } = watched();
    shutdown.signal('SIGTERM');
    expect(events).toEqual(['SIGTERM: draining', 'drain']);
    await finishDrain();
    expect(events.slice(2)).toEqual(['exit 0']);
  });

  it.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])('during the drain is ignored, with one line: %s', async (name) => {
    const { shutdown, events, finishDrain } = watched();
    shutdown.signal('SIGTERM');
    for (let again = 0; again < 5; again++) shutdown.signal(name);
    expect(events).toEqual(['SIGTERM: draining', 'drain', `${name}: ${REPEATED}`]);
    await finishDrain();
    expect(events.slice(3)).toEqual(['exit 0']);
  });

  it('exits with 1 if the drain fails, and logs the reason', async () => {
    const { shutdown, events, logged, failDrain } = watched();
    shutdown.signal('SIGINT');
    await failDrain(Object.assign(new Error(CANARY), { code: 'ECONNREFUSED' }));
    expect(events.slice(2)).toEqual(['drain failed', 'exit 1']);
    expect(logged).toMatchObject([{ reason: 'ECONNREFUSED', error: { name: 'Error' } }]);
  });

  it('exits with 1 at the deadline if the drain hangs', async () => {
    const { shutdown, events } = watched();
    shutdown.signal('SIGTERM');
    await vi.advanceTimersByTimeAsync(999);
    expect(events).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(events.slice(2)).toEqual([LATE, 'exit 1']);
  });

  it('waits for pending work, and no longer than the deadline', async () => {
    let isHeldUp = true;
    const freed = watched({ isHeldUp: () => isHeldUp });
    freed.shutdown.signal('SIGTERM');
    await freed.finishDrain();
    await vi.advanceTimersByTimeAsync(500);
    expect(freed.events).toHaveLength(2);
    isHeldUp = false;
    await vi.advanceTimersByTimeAsync(100);
    expect(freed.events.slice(2)).toEqual(['exit 0']);

    const stuck = watched({ isHeldUp: () => true });
    stuck.shutdown.signal('SIGTERM');
    await stuck.finishDrain();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stuck.events.slice(2)).toEqual([LATE, 'kill']);
  });
});

describe('unhandled error', () => {
  it('is logged once without its message, drains, and exits with 1', async () => {
    const { shutdown, events, logged, finishDrain } = watched();
    shutdown.fault(Object.assign(new RangeError(CANARY), { code: 'ERR_OUT_OF_RANGE' }));
    expect(events).toEqual([FAULT, 'drain']);
    expect(logged).toMatchObject([{ reason: 'ERR_OUT_OF_RANGE', error: { name: 'RangeError' } }]);
    expect(JSON.stringify(logged)).not.toContain(CANARY);
    await finishDrain();
    expect(events.slice(2)).toEqual(['exit 1']);
  });

  it('during the drain of another one ends the process at once', () => {
    const { shutdown, events } = watched();
    shutdown.fault(new Error());
    shutdown.fault(new Error());
    expect(events).toEqual([FAULT, 'drain', FAULT, 'exit 1']);

    const heldUp = watched({ isHeldUp: () => true });
    heldUp.shutdown.fault(new Error());
    heldUp.shutdown.fault(new Error());
    expect(heldUp.events).toEqual([FAULT, 'drain', FAULT, 'kill']);
  });

  it('during the drain of a signal does not interrupt it, and makes the exit code 1', async () => {
    const { shutdown, events, finishDrain } = watched();
    shutdown.signal('SIGTERM');
    shutdown.fault(new Error());
    expect(events.slice(2)).toEqual([FAULT]);
    await finishDrain();
    expect(events.slice(3)).toEqual(['exit 1']);
  });

  it('drains once, whatever signal follows', async () => {
    const { shutdown, events, finishDrain } = watched();
    shutdown.fault(new Error());
    shutdown.signal('SIGTERM');
    expect(events).toEqual([FAULT, 'drain', `SIGTERM: ${REPEATED}`]);
    await finishDrain();
    expect(events.slice(3)).toEqual(['exit 1']);
  });

  it('may be anything that can be thrown', () => {
    const { shutdown, events } = watched();
    shutdown.fault(undefined);
    expect(events).toEqual([FAULT, 'drain']);
  });
});
