import type { StoreFault } from '@passerby/sdk/protocol';
import { describe, expect, it, vi } from 'vitest';
import { storeFaultOf } from '../state/redis/store-fault.ts';
import { StoreWatch, type StoreWitnesses } from './store-standing.ts';

const NO_SITES = { tried: 0, failing: 0, late: 0, unproven: 0, faults: [] as readonly StoreFault[] };

interface Stage {
  standing?: Partial<typeof NO_SITES>;
  reachFault?: StoreFault | null;
  probe?: () => Promise<unknown>;
  missingRight?: () => Promise<string | null>;
  isSharded?: boolean;
}

/** `StoreWatch` whose witnesses answer what the test last set. */
function stage(first: Stage = {}) {
  const { probe = vi.fn(() => Promise.resolve()), isSharded = false } = first;
  const { missingRight = vi.fn(() => Promise.resolve(null)) } = first;
  const says = { reachFault: first.reachFault ?? null, standing: first.standing ?? {}, now: 0 };
  const onFailure = vi.fn();
  const onMissingRight = vi.fn();
  const since: number[] = [];
  const witnesses: StoreWitnesses = {
    backend: { isSharded, reachFault: () => says.reachFault, probe, missingRight, faultOf: storeFaultOf },
    heartbeat: { standing: (_, moment) => (since.push(moment), { ...NO_SITES, ...says.standing }) },
    onFailure,
    onMissingRight,
    clock: () => says.now,
  };
  const watch = new StoreWatch(witnesses);
  return { says, probe, onFailure, onMissingRight, missingRight, since, look: () => watch.standing() };
}

const WELL = { isAvailable: true, faults: [] };

describe('availability of a store', () => {
  it('follows the renewals of leases, without another write', async () => {
    const { look, probe } = stage({ standing: { tried: 1 } });
    expect(await look()).toEqual(WELL);
    expect(probe).not.toHaveBeenCalled();
  });

  it.each([
    [{ tried: 1, failing: 1, faults: ['READONLY'] }, false, ['READONLY']],
    [{ tried: 3, failing: 1, faults: ['CLUSTERDOWN'] }, true, ['CLUSTERDOWN']],
    [{ tried: 4, failing: 1, late: 1, faults: ['CLUSTERDOWN'] }, false, ['CLUSTERDOWN', 'TIMEOUT']],
    [{ tried: 1, late: 1 }, false, ['TIMEOUT']],
  ] as const)('for renewals %j is available: %s, with %j', async (standing, isAvailable, faults) => {
    expect(await stage({ standing }).look()).toEqual({ isAvailable, faults });
  });

  it('is asked by a probe where no site has visitors', async () => {
    expect(await stage().look()).toEqual(WELL);
    const failure = new Error('OOM');
    const { look, onFailure } = stage({ probe: () => Promise.reject(failure) });
    expect(await look()).toEqual({ isAvailable: false, faults: ['OOM'] });
    expect(onFailure).toHaveBeenCalledWith(failure);
  });

  it('is bad while a right is missing, which is asked for every four seconds, and then until it is back', async () => {
    let right: string | null = 'HGET';
    const missingRight = vi.fn(() => Promise.resolve(right));
    const { look, says, onMissingRight } = stage({ standing: { tried: 1 }, missingRight });
    expect(await look()).toEqual({ isAvailable: false, faults: ['NOPERM'] });
    expect(await look()).toEqual({ isAvailable: false, faults: ['NOPERM'] });
    expect(onMissingRight.mock.calls).toEqual([['HGET']]);
    right = null;
    expect(await look()).toEqual(WELL);
    expect(missingRight).toHaveBeenCalledTimes(3);
    right = 'ZADD';
    says.now += 3_999;
    expect(await look()).toEqual(WELL);
    says.now += 1;
    expect(await look()).toEqual({ isAvailable: false, faults: ['NOPERM'] });
  });

  it.each([
    ['NOPERM User us has no permissions to run the evalsha command', false],
    ['CLUSTERDOWN Hash slot not served', true],
  ])('with unknown permissions because of "%s" is: %s', async (message, isAvailable) => {
    const { look } = stage({ missingRight: () => Promise.reject(new Error(message)) });
    expect(await look()).toEqual({ isAvailable, faults: isAvailable ? [] : ['NOPERM'] });
  });

  it('does not wait for a silent test of permissions, runs it once, and accepts a late answer', async () => {
    let answer = (_right: string): void => undefined;
    const missingRight = vi.fn(() => new Promise<string>((resolve) => (answer = resolve)));
    const { look, onMissingRight } = stage({ standing: { tried: 3 }, missingRight, isSharded: true });
    vi.useFakeTimers();
    try {
      const looks = [look(), look()];
      await vi.advanceTimersByTimeAsync(200);
      expect(await Promise.all(looks)).toEqual([WELL, WELL]);
    } finally {
      vi.useRealTimers();
    }
    expect(missingRight).toHaveBeenCalledTimes(1);
    answer('HGET');
    expect(await look()).toEqual({ isAvailable: false, faults: ['NOPERM'] });
    expect(onMissingRight.mock.calls).toEqual([['HGET']]);
  });

  it('follows the connection of requests, whatever that of the heartbeat says', async () => {
    const { look } = stage({ standing: { tried: 1 }, reachFault: 'CLOSED' });
    expect(await look()).toEqual({ isAvailable: false, faults: ['CLOSED'] });
  });
});

describe('store that accepted no writes', () => {
  it('recovers once a lease was renewed since, and a probe was written too', async () => {
    const { says, since, probe, look } = stage({ standing: { tried: 1 }, reachFault: 'READONLY' });
    says.now = 5_000;
    const refused = { isAvailable: false, faults: ['READONLY'] };
    expect(await look()).toEqual(refused);
    Object.assign(says, { now: 6_000, reachFault: null, standing: { tried: 1, unproven: 1 } });
    expect(await look()).toEqual(refused);
    says.now = 20_000;
    expect(await look()).toEqual(refused);
    expect(probe).not.toHaveBeenCalled();
    says.standing = { tried: 1 };
    expect(await look()).toEqual(WELL);
    expect(probe).toHaveBeenCalledTimes(1);
    // A moment that does not move on with the looks, or no renewal would ever be late enough.
    expect(new Set(since)).toEqual(new Set([5_000]));
  });

  it('does not recover while leases are renewed and the connection of requests still leads to a replica', async () => {
    const { says, look } = stage({ reachFault: 'CLOSED', probe: () => Promise.reject(new Error('READONLY')) });
    await look();
    Object.assign(says, { reachFault: null, standing: { tried: 1 } });
    expect(await look()).toMatchObject({ isAvailable: false });
  });

  it('recovers on a Cluster by its leases alone, since a probe is of one server', async () => {
    const { says, look } = stage({ reachFault: 'CLUSTERDOWN', probe: () => Promise.reject(), isSharded: true });
    await look();
    Object.assign(says, { reachFault: null, standing: { tried: 4, failing: 1, faults: ['CLUSTERDOWN'] } });
    expect(await look()).toEqual({ isAvailable: true, faults: ['CLUSTERDOWN'] });
  });

  it.each(['READONLY', 'OOM', 'MISCONF', 'NOPERM', 'LOADING'] as const)(
    'keeps the reason %s while a new connection is made because of it, for ten seconds',
    async (fault) => {
      const { says, look } = stage({ standing: { tried: 1, failing: 1, faults: [fault] } });
      const faultsAfter = async (ms: number, change: Partial<typeof says>) => {
        Object.assign(says, change, { now: says.now + ms });
        return (await look()).faults;
      };
      expect(await faultsAfter(0, {})).toEqual([fault]);
      expect(await faultsAfter(1_000, { reachFault: 'CLOSED' })).toEqual([fault]);
      expect(await faultsAfter(1_000, { reachFault: null, standing: { tried: 1, late: 1 } })).toEqual([fault]);
      expect(await faultsAfter(8_000, { standing: { tried: 1, late: 1 } })).toEqual([fault]);
      expect(await faultsAfter(1, {})).toEqual(['TIMEOUT']);
    },
  );

  it('changes the reason as soon as there is another', async () => {
    const { says, look } = stage({ standing: { tried: 1, failing: 1, faults: ['READONLY'] } });
    await look();
    says.reachFault = 'ECONNREFUSED';
    expect(await look()).toEqual({ isAvailable: false, faults: ['ECONNREFUSED'] });
    says.reachFault = 'CLOSED';
    expect(await look()).toEqual({ isAvailable: false, faults: ['CLOSED'] });
  });
});
