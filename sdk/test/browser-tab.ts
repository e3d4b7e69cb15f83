import type { PersistedState } from '../src/tabs/persisted-state.ts';
import type { TabLock, TabLockEvents } from '../src/tabs/tab-lock.ts';
import type { TabStorage } from '../src/tabs/tab-storage.ts';

/** Storage of a tab, which pages of that tab share. `room` is its quota of text. */
export class FakeStorage implements TabStorage {
  text: string | null = null;
  room = Infinity;
  writes = 0;

  read(): string | null {
    return this.text;
  }

  write(text: string): boolean {
    this.writes += 1;
    if (text.length > this.room) return false;
    this.text = text;
    return true;
  }

  remove(): void {
    this.text = null;
  }
}

/** Browser whose tabs share locks and channels, without the delays of a real one. */
export class FakeBrowser {
  #holder: FakeTabLock | null = null;
  readonly #watching = new Set<FakeTabLock>();
  /** Freezes the tab that has the chat: it neither answers nor receives. */
  isHolderFrozen = false;

  readonly lock = (events: TabLockEvents): TabLock => new FakeTabLock(this, events);

  get isTaken(): boolean {
    return this.#holder !== null;
  }

  take(tab: FakeTabLock): boolean {
    this.#holder ??= tab;
    return this.#holder === tab;
  }

  release(tab: FakeTabLock): void {
    this.#watching.delete(tab);
    if (this.#holder !== tab) return;
    this.#holder = null;
    for (const other of this.#watching) other.events.freed();
    this.#watching.clear();
  }

  isHeldElsewhere(tab: FakeTabLock): boolean {
    return this.#holder !== null && this.#holder !== tab;
  }

  takeOver(tab: FakeTabLock): PersistedState | null {
    const former = this.#holder;
    this.#holder = tab;
    if (former === null) return null;
    const kept = this.isHolderFrozen ? null : structuredClone(former.events.handOver());
    if (this.isHolderFrozen) former.events.taken();
    this.#watching.add(former);
    return kept;
  }

  watch(tab: FakeTabLock): void {
    this.#watching.add(tab);
  }
}

class FakeTabLock implements TabLock {
  readonly #browser: FakeBrowser;
  readonly events: TabLockEvents;

  constructor(browser: FakeBrowser, events: TabLockEvents) {
    this.#browser = browser;
    this.events = events;
  }

  // As in a real browser, nothing is known at once.
  take(): Promise<boolean> {
    return Promise.resolve(this.#browser.take(this));
  }

  release(): void {
    this.#browser.release(this);
  }

  isHeldElsewhere(): Promise<boolean> {
    return Promise.resolve(this.#browser.isHeldElsewhere(this));
  }

  takeOver(): Promise<PersistedState | null> {
    return Promise.resolve(this.#browser.takeOver(this));
  }

  watch(): void {
    this.#browser.watch(this);
  }

  close(): void {
    this.release();
  }
}
