import { describe, expect, test, vi } from 'vitest';
import { ReadinessCheck, STORE_WELL, type StoreStanding } from './readiness.ts';

function stage(askStore: () => Promise<StoreStanding>, probeRecords?: () => Promise<unknown>) {
  const state = {
    now: 0,
    isDraining: false,
    busFault: undefined as 'NO_ECHO' | undefined,
    staleSince: null as number | null,
    isOverloaded: false,
  };
  const check = new ReadinessCheck({
    clock: () => state.now,
    isDraining: () => state.isDraining,
    askStore,
    busFault: () => state.busFault,
    recordsStaleSince: () => state.staleSince,
    probeRecords,
    isOverloaded: () => state.isOverloaded,
  });
  return { state, reasons: async () => (await check.look()).reasons, look: () => check.look() };
}

test('is ready without a reason against it', async () => {
  expect(await stage(() => Promise.resolve(STORE_WELL)).reasons()).toEqual([]);
});

test('reports all reasons', async () => {
  const { state, reasons } = stage(() => Promise.reject(new Error('no route')));
  Object.assign(state, { now: 10_000, isDraining: true, staleSince: 4_000, isOverloaded: true });
  expect(await reasons()).toEqual(['draining', 'store_unavailable', 'records_stale', 'overloaded']);
});

test('ignores a short outage of the records', async () => {
  const { state, reasons } = stage(() => Promise.resolve(STORE_WELL));
  Object.assign(state, { now: 10_000, staleSince: 9_000 });
  expect(await reasons()).toEqual([]);
});

test('probes the store once a second at most', async () => {
  const ping = vi.fn(() => Promise.resolve(STORE_WELL));
  const { state, reasons } = stage(ping);
  await Promise.all(Array.from({ length: 100 }, reasons));
  expect(ping).toHaveBeenCalledTimes(1);
  state.now = 1_000;
  await reasons();
  expect(ping).toHaveBeenCalledTimes(2);
});

test('reports a silent store as unavailable, without another probe, until it answers', async () => {
  let answer = (_: StoreStanding): void => undefined;
  const ping = vi.fn(() => new Promise<StoreStanding>((resolve) => (answer = resolve)));
  const { state, reasons } = stage(ping);
  expect(await reasons()).toEqual(['store_unavailable']);
  state.now = 5_000;
  expect(await reasons()).toEqual(['store_unavailable']);
  expect(ping).toHaveBeenCalledTimes(1);
  answer(STORE_WELL);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await reasons()).toEqual([]);
});

test('reports faults of the store, also those that leave it ready', async () => {
  const { state, look } = stage(() => Promise.resolve({ isAvailable: state.isDraining, faults: ['CLUSTERDOWN'] }));
  expect(await look()).toEqual({ isReady: false, reasons: ['store_unavailable'], storeFaults: ['CLUSTERDOWN'] });
  Object.assign(state, { now: 1_000, isDraining: true });
  expect(await look()).toEqual({ isReady: false, reasons: ['draining'], storeFaults: ['CLUSTERDOWN'] });
});

test('reports the fault of the node bus, unless the store is unavailable anyway', async () => {
  let standing = STORE_WELL;
  const { state, look } = stage(() => Promise.resolve(standing));
  state.busFault = 'NO_ECHO';
  expect(await look()).toEqual({ isReady: false, reasons: ['link_silent'], storeFaults: ['NO_ECHO'] });
  standing = { isAvailable: false, faults: ['ECONNREFUSED'] };
  state.now = 1_000;
  expect(await look()).toEqual({ isReady: false, reasons: ['store_unavailable'], storeFaults: ['ECONNREFUSED'] });
});

test('reports a late store as TIMEOUT', async () => {
  const { look } = stage(() => new Promise(() => undefined));
  expect(await look()).toEqual({ isReady: false, reasons: ['store_unavailable'], storeFaults: ['TIMEOUT'] });
});

describe('unwritable database', () => {
  test('is a reason while it lasts, and probed once in five seconds', async () => {
    const probe = vi.fn(() => Promise.resolve());
    const { state, reasons, look } = stage(() => Promise.resolve(STORE_WELL), probe);
    expect(await reasons()).toEqual([]);
    probe.mockRejectedValue(new Error('full'));
    state.now = 4_999;
    expect(await reasons()).toEqual([]);
    state.now = 5_000;
    expect(await look()).toEqual({ isReady: true, reasons: ['records_unwritable'], storeFaults: [] });
    state.isDraining = true;
    expect(await look()).toMatchObject({ isReady: false, reasons: ['draining', 'records_unwritable'] });
    state.isDraining = false;
    await Promise.all(Array.from({ length: 100 }, reasons));
    expect(probe).toHaveBeenCalledTimes(2);
    probe.mockResolvedValue();
    state.now = 10_000;
    expect(await reasons()).toEqual([]);
  });

  test('is no reason before an answer, since another process may be writing', async () => {
    let refuse = (_: Error): void => undefined;
    const probe = () => new Promise((_, reject) => (refuse = reject));
    const { reasons } = stage(() => Promise.resolve(STORE_WELL), probe);
    expect(await reasons()).toEqual([]);
    refuse(new Error('locked'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await reasons()).toEqual(['records_unwritable']);
  });
});
