import type { ChatEvents } from './events.ts';
import { Emitter } from './internal/emitter.ts';
import { SnapshotStore } from './internal/snapshot-store.ts';
import type { ChatSnapshot, ChatState } from './state.ts';

export const IDLE: ChatState = { status: 'idle' };

/** Snapshot and events of a chat, as its page sees them. */
export class ChatView {
  readonly emitter = new Emitter<ChatEvents>();
  readonly #snapshots = new SnapshotStore<ChatSnapshot>(
    { state: IDLE, connection: { status: 'offline' }, online: null, policy: null, agreed: null },
    'state',
  );
  readonly #statusChanged: () => void;

  /** `statusChanged` is called when `state.status` is another one, before the page hears of it. */
  constructor(statusChanged: () => void) {
    this.#statusChanged = statusChanged;
  }

  get snapshot(): ChatSnapshot {
    return this.#snapshots.current;
  }

  get state(): ChatState {
    return this.snapshot.state;
  }

  /** Returns whether the visitor waits or talks. */
  get isBusy(): boolean {
    return this.state.status === 'waiting' || this.state.status === 'chatting';
  }

  get isClosed(): boolean {
    return this.state.status === 'closed';
  }

  /** Shows what changed. Returns whether anything did. */
  show(patch: Partial<ChatSnapshot>): boolean {
    const { status } = this.state;
    if (!this.#snapshots.update(patch)) return false;
    if (this.state.status !== status) this.#statusChanged();
    this.emitter.emit('change', this.snapshot);
    return true;
  }
}
