import { createChat, type Chat, type ChatError, type ConversationId } from '@passerby/sdk';
import { ORIGIN } from '../harness.ts';
import type { EventLog, LoggedEvent } from '../invariants/event-log.ts';

/** Interval without a connection. Times by `performance.now()`. */
export interface Outage {
  readonly lostAt: number;
  readonly backAt: number;
}

/** Number of unacknowledged messages beyond which the SDK accepts no more. */
const UNDER_WAY_MAX = 200;

/** Visitor on the SDK who numbers their messages and records every event. */
export class ChatDriver {
  /** Without a hyphen: its messages are `name-number`. */
  readonly name: string;
  readonly chat: Chat;
  readonly #events: LoggedEvent[] = [];
  readonly #outages: Outage[] = [];
  readonly #errors: ChatError[] = [];
  readonly #underWay = new Set<string>();
  #count = 0;
  #lostAt: number | null = null;

  constructor(name: string, url: string, site: string) {
    this.name = name;
    this.chat = createChat({ url, site, origin: ORIGIN });
    this.chat.on('started', ({ conversationId }) =>
      this.#events.push({ kind: 'started', conversationId, at: performance.now() }),
    );
    this.chat.on('message', ({ text }) =>
      this.#events.push({ kind: 'heard', conversationId: this.conversationId, text }),
    );
    this.chat.on('delivered', ({ text }) => {
      this.#underWay.delete(text);
      this.#events.push({ kind: 'delivered', text });
    });
    this.chat.on('presence', ({ presence }) =>
      this.#events.push({ kind: 'presence', presence, at: performance.now() }),
    );
    this.chat.on('ended', ({ conversationId, reason, undelivered }) => {
      this.#underWay.clear();
      const texts = undelivered.map(({ text }) => text);
      this.#events.push({ kind: 'ended', conversationId, reason, undelivered: texts, at: performance.now() });
    });
    this.chat.on('error', (error) => this.#errors.push(error));
    this.chat.on('change', ({ connection }) => this.#connectionIs(connection.status));
  }

  /** Log of the events. Who waits at the end is not judged: these visitors are on many sites. */
  get log(): EventLog {
    return { visitor: this.name, events: this.#events, delivery: 'reliable', criteria: {}, rest: 'idle' };
  }

  /** Current conversation. */
  get conversationId(): ConversationId | null {
    const { state } = this.chat.snapshot();
    return state.status === 'chatting' ? state.conversationId : null;
  }

  get isConnected(): boolean {
    return this.chat.snapshot().connection.status === 'connected';
  }

  /** Past intervals without a connection. */
  get outages(): readonly Outage[] {
    return this.#outages;
  }

  /** Refusals received. */
  get errors(): readonly ChatError[] {
    return this.#errors;
  }

  /** Number of their messages that the peer has not acknowledged. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Text of their next message. */
  get nextText(): string {
    return `${this.name}-${this.#count + 1}`;
  }

  /** Sends the next number, if there is a conversation that accepts it. */
  say(): void {
    const { conversationId } = this;
    if (conversationId === null || this.underWay >= UNDER_WAY_MAX) return;
    const text = this.nextText;
    this.#count += 1;
    this.#underWay.add(text);
    this.#events.push({ kind: 'said', conversationId, text });
    this.chat.send(text);
  }

  /** Refusals that are allowed, such as those of a service that forgot the visitor: they retry. */
  wish(wished: Promise<unknown>): void {
    wished.catch((refusal: ChatError) => this.#errors.push(refusal));
  }

  #connectionIs(status: string): void {
    if (status === 'reconnecting') this.#lostAt ??= performance.now();
    if (status !== 'connected' || this.#lostAt === null) return;
    this.#outages.push({ lostAt: this.#lostAt, backAt: performance.now() });
    this.#lostAt = null;
  }
}
