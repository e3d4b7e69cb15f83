import { describe, expect, it, vi } from 'vitest';
import { storeStanding, type StoreWitnesses } from './store-standing.ts';

const NO_SITES = { tried: 0, failing: 0, late: 0, faults: [] };

function witnesses(parts: { standing?: object; reachFault?: 'CLOSED'; probe?: () => Promise<unknown> }) {
  const { standing = NO_SITES, reachFault = null, probe = vi.fn(() => Promise.resolve()) } = parts;
  const onFailure = vi.fn();
  const all: StoreWitnesses = {
    backend: { reachFault: () => reachFault, probe, faultOf: () => 'OOM' },
    heartbeat: { standing: () => ({ ...NO_SITES, ...standing }) },
    onFailure,
  };
  return { all, probe, onFailure };
}

describe('the standing of a store', () => {
  it('is what the renewals of leases say, without another write', async () => {
    const { all, probe } = witnesses({ standing: { tried: 1 } });
    expect(await storeStanding(all)).toEqual({ isAvailable: true, faults: [] });
    expect(probe).not.toHaveBeenCalled();
  });

  it.each([
    [{ tried: 1, failing: 1, faults: ['READONLY'] }, false, ['READONLY']],
    [{ tried: 3, failing: 1, faults: ['CLUSTERDOWN'] }, true, ['CLUSTERDOWN']],
    [{ tried: 4, failing: 1, late: 1, faults: ['CLUSTERDOWN'] }, false, ['CLUSTERDOWN', 'TIMEOUT']],
    [{ tried: 1, late: 1 }, false, ['TIMEOUT']],
  ])('for renewals %j is available: %s, with %j', async (standing, isAvailable, faults) => {
    expect(await storeStanding(witnesses({ standing }).all)).toEqual({ isAvailable, faults });
  });

  it('is asked by a probe where no site has visitors', async () => {
    expect(await storeStanding(witnesses({}).all)).toEqual({ isAvailable: true, faults: [] });
    const failure = new Error('OOM');
    const { all, onFailure } = witnesses({ probe: () => Promise.reject(failure) });
    expect(await storeStanding(all)).toEqual({ isAvailable: false, faults: ['OOM'] });
    expect(onFailure).toHaveBeenCalledWith(failure);
  });

  it('is that of the connection requests take, whatever the one of the heartbeat says', async () => {
    const { all } = witnesses({ standing: { tried: 1 }, reachFault: 'CLOSED' });
    expect(await storeStanding(all)).toEqual({ isAvailable: false, faults: ['CLOSED'] });
  });
});
