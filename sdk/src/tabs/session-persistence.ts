import { asItIs } from '../internal/as-it-is.ts';
import type { ResumeToken } from '../protocol/index.ts';
import {
  type ActiveState,
  isPersistedState,
  type PersistedState,
  PERSISTED_VERSION,
  withoutTexts,
} from './persisted-state.ts';
import type { TabStorage } from './tab-storage.ts';
import { parseJson } from '../internal/parse-json.ts';

/**
 * Keeps what the next page of this tab needs to go on: the resume token, and what the visitor is in the
 * middle of. While they are in the middle of nothing, nothing is stored.
 */
export class SessionPersistence {
  readonly #storage: TabStorage;
  readonly #activeState: () => ActiveState | null;
  #token: ResumeToken | undefined;
  #isDirty = false;
  /** Text stored by this chat, or taken up by it; not one that was only read. */
  #stored: string | null = null;

  /** `activeState` returns what the visitor is in the middle of; `null` for nothing. */
  constructor(storage: TabStorage, activeState: () => ActiveState | null) {
    this.#storage = storage;
    this.#activeState = activeState;
  }

  get token(): ResumeToken | undefined {
    return this.#token;
  }

  set token(token: ResumeToken | undefined) {
    this.#token = token;
    this.markDirty();
  }

  /** State to hand on now; `null` if there is none. */
  get kept(): PersistedState | null {
    const activeState = this.#activeState();
    if (activeState === null || this.#token === undefined) return null;
    return { version: PERSISTED_VERSION, resume: this.#token, ...activeState };
  }

  /** State that a page before this one left, as far as it can be read. */
  recall(): PersistedState | null {
    const text = this.#storage.read();
    if (text === null) return null;
    const kept = parseJson(text);
    if (isPersistedState(kept)) return kept;
    this.#storage.remove();
    return null;
  }

  /** Goes on from what was kept. */
  adopt(kept: PersistedState): void {
    this.own();
    this.#token = kept.resume;
    this.markDirty();
  }

  /** Claims the stored state for this chat. */
  own(): void {
    this.#stored = this.#storage.read();
  }

  /** Returns whether another page of this tab has written since this chat did. */
  get isOutdated(): boolean {
    return this.#storage.read() !== this.#stored;
  }

  /** Schedules a write at the end of the present turn, unless `flush` comes first. For durable changes only. */
  markDirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    queueMicrotask(() => {
      this.flush();
    });
  }

  /** Writes now what has changed. Called before anything is acknowledged: what is forgotten afterwards would be lost. */
  flush(): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    const { kept } = this;
    if (kept === null || !(this.#write(kept) || this.#write(withoutTexts(kept)))) this.#remove();
  }

  /** Nothing is left behind, neither here nor in the tab. */
  forget(): void {
    this.#token = undefined;
    this.#isDirty = false;
    this.#remove();
  }

  #write(kept: PersistedState): boolean {
    const text = JSON.stringify(kept, asItIs());
    const isWritten = this.#storage.write(text);
    if (isWritten) this.#stored = text;
    return isWritten;
  }

  #remove(): void {
    // What another page of this tab wrote since is not ours to remove.
    if (this.#stored !== null && !this.isOutdated) this.#storage.remove();
    this.#stored = null;
  }
}
