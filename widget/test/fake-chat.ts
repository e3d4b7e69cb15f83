import type { Agreement, Chat, ChatEvents, ChatSnapshot, ChatState, Criteria, Message, Report } from '@passerby/sdk';
import { policyWith } from '../../sdk/test/fixtures/policy.ts';

type Listeners = { [Name in keyof ChatEvents]: Set<(event: ChatEvents[Name]) => void> };

export const POLICY = policyWith({ interests: ['jazz', 'cycling', 'cooking'] });

/** Chat without a service: a test sets its snapshot, and reads its calls. */
export class FakeChat implements Chat {
  /** All calls, as name and arguments. */
  readonly calls: unknown[][] = [];
  /** Errors by the name of a call: the next such call throws it, or rejects with it. */
  readonly refusals = new Map<string, Error>();
  readonly #listeners: Listeners = {
    change: new Set(),
    started: new Set(),
    message: new Set(),
    delivered: new Set(),
    typing: new Set(),
    presence: new Set(),
    ended: new Set(),
    online: new Set(),
    error: new Set(),
  };
  #snapshot: ChatSnapshot = {
    state: { status: 'idle' },
    connection: { status: 'connected' },
    online: { min: 12, max: 19 },
    policy: POLICY,
    agreed: { rules: null, ageBand: null },
  };

  show(change: Partial<ChatSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    this.emit('change', this.#snapshot);
  }

  emit<Name extends keyof ChatEvents>(name: Name, event: ChatEvents[Name]): void {
    for (const listener of this.#listeners[name]) listener(event);
  }

  /** Number of listeners, of all events. */
  get listeners(): number {
    return Object.values(this.#listeners).reduce((sum, { size }) => sum + size, 0);
  }

  snapshot(): ChatSnapshot {
    return this.#snapshot;
  }

  subscribe(listener: (snapshot: ChatSnapshot) => void): () => void {
    const undo = this.on('change', (snapshot) => listener(snapshot));
    listener(this.#snapshot);
    return undo;
  }

  on<Name extends keyof ChatEvents>(name: Name, listener: (event: ChatEvents[Name]) => void): () => void {
    this.#listeners[name].add(listener);
    return () => this.#listeners[name].delete(listener);
  }

  async connect(): Promise<void> {
    this.#called('connect');
  }

  async resume(): Promise<boolean> {
    this.#called('resume');
    return false;
  }

  async takeOver(): Promise<void> {
    this.#called('takeOver');
  }

  useHere(): Promise<void> {
    return this.takeOver();
  }

  async find(criteria?: Criteria): Promise<void> {
    this.#called('find', criteria);
  }

  async cancel(): Promise<'cancelled'> {
    this.#called('cancel');
    return 'cancelled';
  }

  send(text: string): Extract<Message, { from: 'me' }> {
    this.#called('send', text);
    const message = mine(text, 'sending');
    const { state } = this.#snapshot;
    if (state.status === 'chatting') this.show({ state: { ...state, messages: [...state.messages, message] } });
    return message;
  }

  typing(on: boolean): void {
    this.#called('typing', on);
  }

  async skip(criteria?: Criteria): Promise<void> {
    this.#called('skip', criteria);
  }

  async leave(): Promise<void> {
    this.#called('leave');
  }

  async block(): Promise<void> {
    this.#called('block');
  }

  async agree({ rules, ageBand }: Agreement): Promise<void> {
    this.#called('agree', { rules, ageBand });
    const { agreed } = this.#snapshot;
    this.show({
      agreed: { rules: rules ?? agreed?.rules ?? null, ageBand: ageBand ?? agreed?.ageBand ?? null },
    });
  }

  async report(report: Report): Promise<void> {
    this.#called('report', report);
  }

  async close(): Promise<void> {
    this.#called('close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #called(name: string, ...args: unknown[]): void {
    this.calls.push([name, ...args]);
    const refusal = this.refusals.get(name);
    this.refusals.delete(name);
    if (refusal) throw refusal;
  }
}

let count = 0;

export function mine(text: string, status: 'sending' | 'delivered' | 'undelivered' = 'delivered', at = 0) {
  return { from: 'me', id: `m${++count}`, text, at, status } as const;
}

export function theirs(text: string, at = 0) {
  return { from: 'peer', id: `p${++count}`, text, at } as const;
}

type Chatting = Extract<ChatState, { status: 'chatting' }>;
type Ended = Extract<ChatState, { status: 'ended' }>;

export const chatting = (change: Partial<Chatting> = {}): Chatting => ({
  status: 'chatting',
  conversationId: 'c_1' as Chatting['conversationId'],
  shared: { interests: [], isSameTopic: false },
  peer: { presence: 'here', isTyping: false },
  messages: [],
  ...change,
});

export const ended = (change: Partial<Ended> = {}): Ended => ({
  status: 'ended',
  conversationId: 'c_1' as Ended['conversationId'],
  reason: 'peer_left',
  shared: { interests: [], isSameTopic: false },
  messages: [],
  ...change,
});
