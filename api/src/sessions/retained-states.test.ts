import { describe, expect, it, vi } from 'vitest';
import { refOf, TestVisitors } from '../../test/local-visitor.ts';
import { PROVEN_MS } from '../admission/proof-of-work.ts';
import { RATE_LIMITS } from '../limits/rate-limits.ts';

const { points: MESSAGES, windowMs } = RATE_LIMITS.messages.session;

/** Visitors of a node, and what is retained of them. */
function stage() {
  let now = 1_000_000;
  const visitors = new TestVisitors(() => now);
  return { visitors, retained: visitors.retained, pass: (ms: number) => void (now += ms), now: () => now };
}

const admitted = (session: ReturnType<TestVisitors['add']>['session'], count: number) =>
  Array.from({ length: count }, () => session.retained.frames.admit(true)).filter(({ kind }) => kind === 'admitted')
    .length;

describe('RetainedStates', () => {
  it('S7 gives a session that reconnects its used quotas and its throttling, and another session its own', () => {
    const { visitors } = stage();
    const { session } = visitors.add(refOf('a'));
    expect(admitted(session, MESSAGES + 1)).toBe(MESSAGES);
    visitors.local.remove(session);
    expect(admitted(visitors.add(refOf('a')).session, 10)).toBe(0);
    expect(admitted(visitors.add(refOf('b')).session, MESSAGES)).toBe(MESSAGES);
  });

  it('gives them back although the session was idle for longer than its window before it used them', () => {
    const { visitors, pass } = stage();
    const { session } = visitors.add(refOf('a'));
    admitted(session, 1);
    pass(10 * windowMs);
    visitors.local.sweep();
    admitted(session, MESSAGES);
    visitors.local.remove(session);
    expect(admitted(visitors.add(refOf('a')).session, 1)).toBe(0);
  });

  it('keeps nothing of a session that used nothing, and of another until its quotas are full', () => {
    const { visitors, retained, pass } = stage();
    const [quiet, busy] = ['a', 'b'].map((name) => visitors.add(refOf(name)).session) as [never, never];
    admitted(busy, 5);
    visitors.local.remove(quiet);
    visitors.local.remove(busy);
    expect(retained.size).toBe(1);
    pass(60_000);
    visitors.local.sweep();
    expect(retained.size).toBe(0);
  });

  it('S18 keeps a proof for as long as it is valid', () => {
    const { visitors, retained, pass, now } = stage();
    const { session } = visitors.add(refOf('a'));
    session.retained.proof.provenAt = now();
    visitors.local.remove(session);
    pass(PROVEN_MS - 1);
    const again = visitors.add(refOf('a')).session;
    expect(again.retained.proof.provenAt).not.toBeNull();
    visitors.local.remove(again);
    pass(60_000);
    visitors.local.sweep();
    expect(retained.size).toBe(0);
  });

  it('looks at a state that is kept for its proof only when its quotas are full, and when the proof is void', () => {
    const { visitors, retained, pass, now } = stage();
    const { session } = visitors.add(refOf('a'));
    const { limiter, proof } = session.retained;
    admitted(session, 5);
    proof.provenAt = now();
    const looks = vi.spyOn(limiter, 'msUntilFull');
    visitors.local.remove(session);
    for (let minutes = 0; minutes < 30; minutes++) {
      pass(60_000);
      visitors.local.sweep();
    }
    expect(looks).toHaveBeenCalledTimes(2);
    expect(retained.size).toBe(1);
    const { session: again } = visitors.add(refOf('a'));
    expect(again.retained.proof).toBe(proof);
    expect(admitted(again, MESSAGES + 1)).toBe(MESSAGES);
  });
});
