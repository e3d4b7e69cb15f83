import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ResumeToken } from '../protocol/index.ts';
import { type Kept, KEPT_VERSION } from './kept.ts';
import { noTabLock, tabLock, type TabLock } from './tab-lock.ts';

const kept: Kept = {
  version: KEPT_VERSION,
  resume: `r_${'x'.repeat(22)}` as ResumeToken,
  find: null,
  isSearching: false,
  leavings: [],
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
      return handsOver as Kept;
    },
    taken: () => heard.push('taken'),
    freed: () => heard.push('freed'),
  });
  const tab = { lock, heard };
  tabs.push(tab);
  return tab;
}

describe('the lock of a site', () => {
  test('is had by one tab, again and again, until it lets go', async () => {
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

  test('is waited for by who has the patience: a page that goes lets go a moment later', async () => {
    const [one, two] = [open(), open()];
    await one.lock.take();
    const taking = two.lock.take({ patienceMs: 5_000 });
    setTimeout(() => one.lock.release(), 50);
    expect(await taking).toBe(true);
    expect(await open().lock.take({ patienceMs: 50 })).toBe(false);
  });

  test('that is free is told to who watches, once', async () => {
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

  test('is handed over with what there is to go on with; the former holder then waits in its turn', async () => {
    const [one, two] = [open(), open()];
    await one.lock.take();
    expect(await two.lock.takeOver()).toEqual(kept);
    expect(one.heard).toEqual(['hand over']);
    expect(await one.lock.isHeldElsewhere()).toBe(true);
    two.lock.release();
    await vi.waitFor(() => expect(one.heard).toEqual(['hand over', 'freed']), { timeout: 30_000 });
  });

  test('nothing but what was kept by this version is taken from another tab', async () => {
    const [one, two] = [open({ version: 0 }), open()];
    await one.lock.take();
    expect(await two.lock.takeOver()).toBeNull();
  });

  test('is taken from a tab that does not answer, which learns of it', async () => {
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

  test('stolen, says so', async () => {
    const one = open();
    await one.lock.take();
    void navigator.locks.request(name, { steal: true }, () => undefined);
    await vi.waitFor(() => expect(one.heard).toEqual(['taken', 'freed']), { timeout: 30_000 });
    expect(await one.lock.take()).toBe(true);
  });

  test('asked of nobody is had at once', async () => {
    const one = open();
    expect(await one.lock.takeOver()).toBeNull();
    expect(one.lock.take()).toBe(true);
  });
});

test('without a page, or without Web Locks, nobody is asked', () => {
  vi.stubGlobal('navigator', {});
  expect(tabLock(name, () => 'x', { handOver: () => null, taken: () => null, freed: () => null })).toBe(noTabLock);
  vi.unstubAllGlobals();
  expect(tabLock(name, () => 'x', { handOver: () => null, taken: () => null, freed: () => null })).toBe(noTabLock);
});
