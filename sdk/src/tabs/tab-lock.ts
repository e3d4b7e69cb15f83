import { AwakeTimer } from '../internal/awake-timer.ts';
import { Timer } from '../internal/timer.ts';
import { isPersistedState, type PersistedState } from './persisted-state.ts';

/** Maximum time that the tab that has the chat may take to hand it over, before it is taken from it: a frozen tab never answers. Milliseconds. */
const HAND_OVER_MS = 1_000;

/** Events of the one chat of several tabs that this tab did not cause. */
export interface TabLockEvents {
  /** Another tab asks for the chat: stop, and say what it needs to go on. */
  handOver(): PersistedState | null;
  /** Another tab took the chat without an answer. */
  taken(): void;
  /** No tab has the chat any more. Once after each `watch`. */
  freed(): void;
}

/**
 * Lock of the chat among the tabs of a site: one tab at a time waits or talks. An answer that is known at once is not a
 * promise, so that nothing waits where there is nothing to ask.
 */
export interface TabLock {
  /** Returns whether this tab has the chat from now on; `false` if another one still does after `patienceMs` (default 0). */
  take(options?: { readonly patienceMs?: number }): boolean | Promise<boolean>;
  /** Lets other tabs have it. */
  release(): void;
  isHeldElsewhere(): boolean | Promise<boolean>;
  /** Has the chat from now on, whoever had it; resolves with what that tab handed over. */
  takeOver(): Promise<PersistedState | null>;
  /** Waits for the tab that has it to be done. */
  watch(): void;
  /** Neither has nor awaits it any more; what it returns is over when that is true in the browser as well. */
  close(): void | Promise<void>;
}

/** Lock without other tabs to agree with: for Node, and pages without Web Locks (plain HTTP). The service settles it then. */
export const noTabLock: TabLock = {
  take: () => true,
  release: () => undefined,
  isHeldElsewhere: () => false,
  takeOver: () => Promise.resolve(null),
  watch: () => undefined,
  close: () => undefined,
};

type Note =
  | { readonly kind: 'hand over'; readonly ask: string }
  | { readonly kind: 'handed over'; readonly ask: string; readonly kept: PersistedState | null };

/** Tabs agree by a Web Lock of this name, and hand over on a broadcast channel of this name. */
export function tabLock(name: string, newId: (chars: number) => string, events: TabLockEvents): TabLock {
  // Node has Web Locks too, and no tabs; happy-dom has `null` for them.
  if (typeof document === 'undefined' || !(navigator as Partial<Navigator>).locks) return noTabLock;
  return new WebTabLock(name, newId, events);
}

/** Locks that this page is giving back, by name: until the browser knows, they look as if another tab had them. */
const returning = new Map<string, Promise<void>>();

class WebTabLock implements TabLock {
  readonly #name: string;
  readonly #newId: (chars: number) => string;
  readonly #events: TabLockEvents;
  #taking: Promise<boolean> | null = null;
  /** Gives the lock back; `null` while this tab does not have it. */
  #giveBack: (() => void) | null = null;
  #channel: BroadcastChannel | null = null;
  #watching: AbortController | null = null;
  /** Gives up waiting for the lock. */
  #impatience: AbortController | null = null;
  /** Runs from the hand-over until the other tab should have fetched the lock. */
  readonly #fetching = new Timer();
  /** True while the lock was given away and the other tab has not fetched it. */
  #isHandedOver = false;
  /** Settled once nothing that was asked of the browser is held or awaited. */
  #settled: Promise<void> | undefined;
  /** False if a lock that the browser grants is to be given back at once. */
  #isWanted = false;

  constructor(name: string, newId: (chars: number) => string, events: TabLockEvents) {
    this.#name = name;
    this.#newId = newId;
    this.#events = events;
  }

  take({ patienceMs = 0 } = {}): boolean | Promise<boolean> {
    if (this.#giveBack !== null && !this.#isHandedOver) return true;
    this.#isWanted = true;
    return (this.#taking ??= this.#takeOnce(patienceMs));
  }

  release(): void {
    this.#isWanted = false;
    this.#isHandedOver = false;
    this.#fetching.stop();
    this.#impatience?.abort();
    this.#giveBack?.();
    this.#giveBack = null;
    this.#channel?.close();
    this.#channel = null;
    const settled = Promise.all([returning.get(this.#name), this.#settled]);
    returning.set(
      this.#name,
      settled.then(() => undefined),
    );
  }

  async isHeldElsewhere(): Promise<boolean> {
    if (this.#giveBack !== null) return false;
    await returning.get(this.#name);
    try {
      const { held = [] } = await navigator.locks.query();
      return held.some(({ name, mode }) => name === this.#name && mode === 'exclusive');
    } catch {
      // A page without an origin of its own (a sandboxed frame) has no locks, and no tabs to agree with.
      return false;
    }
  }

  async takeOver(): Promise<PersistedState | null> {
    this.#isWanted = true;
    const kept = await this.#ask();
    if (this.#isWanted) await this.#request({ steal: true });
    return kept;
  }

  watch(): void {
    this.#watching?.abort();
    const watching = new AbortController();
    this.#watching = watching;
    navigator.locks
      .request(this.#name, { mode: 'shared', signal: watching.signal }, () => undefined)
      .then(
        () => {
          if (this.#watching === watching) this.#events.freed();
        },
        // Watched no longer, or nothing to watch.
        () => undefined,
      );
  }

  close(): Promise<void> | undefined {
    this.#watching?.abort();
    this.#watching = null;
    this.release();
    return returning.get(this.#name);
  }

  /** `await` and `finally` as statements, here and below: what pages put in the place of `Promise` may have no method of that name. */
  async #takeOnce(patienceMs: number): Promise<boolean> {
    try {
      return await this.#take(patienceMs);
    } finally {
      this.#taking = null;
    }
  }

  async #take(patienceMs: number): Promise<boolean> {
    await returning.get(this.#name);
    if (!this.#isWanted) return false;
    if (patienceMs === 0) return this.#request({ ifAvailable: true });
    const impatience = (this.#impatience = new AbortController());
    const patience = new AwakeTimer();
    patience.start(patienceMs, () => {
      impatience.abort();
    });
    try {
      return await this.#request({ signal: impatience.signal });
    } finally {
      patience.stop();
    }
  }

  /** Resolves with whether this tab has the lock now; gives it back when told to. */
  #request(options: LockOptions): Promise<boolean> {
    this.#watching?.abort();
    this.#watching = null;
    return new Promise((resolve) => {
      let hasIt = false;
      const hold = (lock: Lock | null): Promise<void> | undefined => {
        hasIt = lock !== null && this.#isWanted;
        resolve(hasIt);
        return hasIt ? this.#hold() : undefined;
      };
      this.#settled = navigator.locks.request(this.#name, options, hold).catch((failure: unknown) => {
        if (hasIt) return this.#taken();
        // Out of patience; or there are no locks here after all: see `isHeldElsewhere`.
        resolve((failure as DOMException).name === 'SecurityError');
        return undefined;
      });
    });
  }

  #hold(): Promise<void> {
    const channel = new BroadcastChannel(this.#name);
    channel.onmessage = ({ data }: MessageEvent<Note>) => {
      if (data.kind !== 'hand over' || this.#isHandedOver) return;
      const kept = this.#events.handOver();
      channel.postMessage({ kind: 'handed over', ask: data.ask, kept } satisfies Note);
      this.#letItBeTaken();
    };
    this.#channel = channel;
    return new Promise((resolve) => {
      this.#giveBack = resolve;
    });
  }

  /** Handed over. The lock goes when the other tab takes it, so that no third one finds it free in between. */
  #letItBeTaken(): void {
    this.#isHandedOver = true;
    this.#fetching.start(HAND_OVER_MS, () => {
      // It was not: that tab is gone.
      this.#lose();
    });
  }

  /** By another tab; or by a browser that takes it from pages in its back/forward cache (WebKit), where it may be had again. */
  async #taken(): Promise<void> {
    if (this.#giveBack === null) return;
    this.#channel?.close();
    this.#giveBack = null;
    if (!this.#isHandedOver && ((await this.take()) || !this.#isWanted)) return;
    this.#lose();
  }

  /** Another tab has it. */
  #lose(): void {
    const isNews = !this.#isHandedOver;
    this.release();
    if (isNews) this.#events.taken();
    this.watch();
  }

  /** Asks the tab that has the chat for it; `null` if none answers in time. */
  async #ask(): Promise<PersistedState | null> {
    const ask = this.#newId(8);
    const channel = new BroadcastChannel(this.#name);
    const timer = new Timer();
    const answer = new Promise<PersistedState | null>((resolve) => {
      timer.start(HAND_OVER_MS, () => {
        resolve(null);
      });
      channel.onmessage = ({ data }: MessageEvent<Note>) => {
        if (data.kind === 'handed over' && data.ask === ask) resolve(isPersistedState(data.kept) ? data.kept : null);
      };
      channel.postMessage({ kind: 'hand over', ask } satisfies Note);
    });
    try {
      return await answer;
    } finally {
      timer.stop();
      channel.close();
    }
  }
}
