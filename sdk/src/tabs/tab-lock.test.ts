import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ResumeToken } from '../protocol/index.ts';
import { type PersistedState, PERSISTED_VERSION } from './persisted-state.ts';
import { noTabLock, tabLock, type TabLock } from './tab-lock.ts';

const kept: PersistedState = {
  version: PERSISTED_VERSION,
  resume: `r_${'x'.repeat(22)}` as ResumeToken,
  find: null,
  isSearching: false,
  departures: [],
  conversation: null,
};

interface Tab {
  readonly lock: TabLock;
  readonly heard: string[];
}

let names = 0;
let name: string;
const tabs: Tab[] = [];

// Web Locks and broadcast channels are those of this process: each lock is a tab of its own.
beforeEach(() => {
  vi.stubGlobal('document', {});
  name = `passerby:pk_test_test:${(names += 1)}`;
});
afterEach(() => {
  for (const { lock } of tabs.splice(0)) lock.close();
  vi.unstubAllGlobals();
});

function open(handsOver: unknown = kept): Tab {
  const heard: string[] = [];
  let ids = 0;
  const lock = tabLock(name, () => `${tabs.length}-${(ids += 1)}`, {
    handOver: () => {
      heard.push('hand over');
      return handsOver as PersistedState;
    },
    taken: () => heard.push('taken'),
    freed: () => heard.push('freed'),
  });
  const tab = { lock, heard };
  tabs.push(tab);
  return tab;
}

describe('lock of a site', () => {
  test('is acquired and taken over on a page with an old Promise without `finally`', async () => {
    class OldPromise<Value> extends Promise<Value> {}
    Object.assign(OldPromise.prototype, { finally: undefined });
    vi.stubGlobal('Promise', OldPromise);
    const [one, two] = [open(), open()];
    expect(await one.lock.take({ patienceMs: 100 })).toBe(true);
    expect(await two.lock.takeOver()).toEqual(kept);
    expect(one.heard).toEqual(['hand over']);
  });

  test('is held by one tab until it is released', async () => {
    const [one, two] = [open(), open()];
    expect(await one.lock.take()).toBe(true);
    expect(one.lock.take()).toBe(true);
    expect(await two.lock.take()).toBe(false);
    expect(await two.lock.isHeldElsewhere()).toBe(true);
    expect(await one.lock.isHeldElsewhere()).toBe(false);
    one.lock.release();
    await vi.waitFor(async () => expect(await two.lock.isHeldElsewhere()).toBe(false), { timeout: 30_000 });
    expect(await two.lock.take()).toBe(true);
  });

  test('is waited for, since an unloading page releases it a moment later', async () => {
    const [one, two] = [open(), open()];
    await one.lock.take();
    const taking = two.lock.take({ patienceMs: 5_000 });
    setTimeout(() => one.lock.release(), 50);
    expect(await taking).toBe(true);
    expect(await open().lock.take({ patienceMs: 50 })).toBe(false);
  });

  test('is reported to waiting tabs once when it is free', async () => {
    const [one, two] = [open(), open()];
    await one.lock.take();
    two.lock.watch();
    two.lock.watch();
    one.lock.release();
    await vi.waitFor(() => expect(two.heard).toEqual(['freed']), { timeout: 30_000 });
    two.lock.watch();
    two.lock.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(two.heard).toEqual(['freed']);
  });

  test('is handed over with the state to continue; the former holder then waits', async () => {
    const [one, two] = [open(), open()];
    await one.lock.take();
    expect(await two.lock.takeOver()).toEqual(kept);
    expect(one.heard).toEqual(['hand over']);
    expect(await one.lock.isHeldElsewhere()).toBe(true);
    two.lock.release();
    await vi.waitFor(() => expect(one.heard).toEqual(['hand over', 'freed']), { timeout: 30_000 });
  });

  test('accepts only the state of this version from another tab', async () => {
    const [one, two] = [open({ version: 0 }), open()];
    await one.lock.take();
    expect(await two.lock.takeOver()).toBeNull();
  });

  test('is stolen from an unresponsive tab, which is told', async () => {
    const two = open();
    const frozen: string[] = [];
    let wake = (): void => undefined;
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    // A frozen tab holds the lock and hears nothing.
    const held = navigator.locks.request(name, () => asleep).catch((failure: Error) => frozen.push(failure.name));
    expect(await two.lock.takeOver()).toBeNull();
    await held;
    wake();
    expect(frozen).toEqual(['AbortError']);
    expect(await open().lock.take()).toBe(false);
  });

  test('reports that it was stolen', async () => {
    const one = open();
    await one.lock.take();
    let done = (): void => undefined;
    void navigator.locks.request(name, { steal: true }, () => new Promise<void>((resolve) => (done = resolve)));
    await vi.waitFor(() => expect(one.heard).toEqual(['taken']), { timeout: 30_000 });
    expect(await one.lock.take()).toBe(false);
    one.lock.watch();
    done();
    await vi.waitFor(() => expect(one.heard).toEqual(['taken', 'freed']), { timeout: 30_000 });
    expect(await one.lock.take()).toBe(true);
  });

  describe("lock released by the browser, as in WebKit's back/forward cache", () => {
    /** Resolves once the holder has been told. */
    const takeAway = async (): Promise<void> => {
      await navigator.locks.request(name, { steal: true }, () => undefined);
    };

    test('is acquired again silently', async () => {
      const [one, two] = [open(), open()];
      await one.lock.take();
      await takeAway();
      expect(one.lock.take()).toBe(true);
      await vi.waitFor(async () => expect(await two.lock.isHeldElsewhere()).toBe(true), { timeout: 30_000 });
      expect(await two.lock.take()).toBe(false);
      expect(await two.lock.takeOver()).toEqual(kept);
      expect(one.heard).toEqual(['hand over']);
    });

    test.each(['release', 'close'] as const)('is free if it was released meanwhile (%s)', async (end) => {
      const [one, two] = [open(), open()];
      await one.lock.take();
      const taken = takeAway();
      const { request } = navigator.locks;
      const asked = vi.spyOn(navigator.locks, 'request').mockImplementation((...args: unknown[]) => {
        const granted = Reflect.apply(request, navigator.locks, args) as Promise<unknown>;
        void one.lock[end]();
        return granted;
      });
      await taken;
      await vi.waitFor(() => expect(asked).toHaveBeenCalledOnce(), { timeout: 30_000 });
      asked.mockRestore();
      expect(await two.lock.take()).toBe(true);
      expect(one.heard).toEqual([]);
    });
  });

  test('is acquired if it is released and requested in one turn, by the same chat or the next one', async () => {
    const one = open();
    await one.lock.take();
    one.lock.release();
    expect(await one.lock.take()).toBe(true);
    const closed = one.lock.close();
    const two = open();
    expect(await Promise.all([two.lock.isHeldElsewhere(), two.lock.take()])).toEqual([false, true]);
    await closed;
  });

  test('is released if it is closed during the request, and close resolves then', async () => {
    const [one, two] = [open(), open()];
    const taking = one.lock.take({ patienceMs: 5_000 });
    await Promise.resolve();
    const closed = one.lock.close();
    expect(await Promise.all([two.lock.isHeldElsewhere(), two.lock.take()])).toEqual([false, true]);
    expect(await taking).toBe(false);
    await closed;
  });

  test('is no longer waited for by a closed chat', async () => {
    const [one, two] = [open(), open()];
    await one.lock.take();
    const taking = two.lock.take({ patienceMs: 3_600_000 });
    await vi.waitFor(async () => expect((await navigator.locks.query()).pending).toHaveLength(1), { timeout: 30_000 });
    await two.lock.close();
    expect(await taking).toBe(false);
  });

  test('is held by nobody once close has resolved', async () => {
    const one = open();
    await one.lock.take();
    await one.lock.close();
    expect((await navigator.locks.query()).held).toEqual([]);
  });

  test('is not stolen by a chat that was closed during the request', async () => {
    const [one, two] = [open(), open()];
    await one.lock.take();
    const taking = two.lock.takeOver();
    void two.lock.close();
    const asked = vi.spyOn(navigator.locks, 'request');
    expect(await taking).toEqual(kept);
    expect(asked).not.toHaveBeenCalled();
  });

  test('is waited for without a timeout while the page is prerendered, which gets no lock', async () => {
    const page = new EventTarget();
    const shown = { prerendering: true };
    vi.stubGlobal('window', page);
    vi.stubGlobal('document', shown);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const [one, two] = [open(), open()];
    await one.lock.take();
    let hasIt: boolean | null = null;
    const taking = (async () => (hasIt = await two.lock.take({ patienceMs: 1_500 })))();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(hasIt).toBeNull();
    shown.prerendering = false;
    page.dispatchEvent(new Event('prerenderingchange'));
    await vi.advanceTimersByTimeAsync(1_499);
    expect(hasIt).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    expect(await taking).toBe(false);
  });

  test('is acquired at once if no tab holds it', async () => {
    const one = open();
    expect(await one.lock.takeOver()).toBeNull();
    expect(one.lock.take()).toBe(true);
  });
});

test('is not requested without a page, or without Web Locks', () => {
  vi.stubGlobal('navigator', {});
  expect(tabLock(name, () => 'x', { handOver: () => null, taken: () => null, freed: () => null })).toBe(noTabLock);
  vi.unstubAllGlobals();
  expect(tabLock(name, () => 'x', { handOver: () => null, taken: () => null, freed: () => null })).toBe(noTabLock);
});
