import type { Message, MessageStatus } from '../state.ts';

export type OwnMessage = Extract<Message, { from: 'me' }>;
export type PeerMessage = Extract<Message, { from: 'peer' }>;

/** A transcript as plain data, to be taken up again after a reload. */
export interface PersistedTranscript {
  readonly messages: readonly Message[];
  /** Count of all there ever were, so that no id comes twice. */
  readonly count: number;
}

/** Most text that is kept, in UTF-16 code units: a browser gives a site about five million for a tab. */
export const KEPT_CHARS_MAX = 100_000;

/** Messages of a conversation, in the order in which they are shown. Every array handed out is immutable; only what changed is a new object. */
export class Transcript {
  #messages: readonly Message[];
  #count: number;

  constructor({ messages, count }: PersistedTranscript = { messages: [], count: 0 }) {
    this.#messages = messages;
    this.#count = count;
  }

  /** The latest messages, as far as there is room; what is still on its way is always among them. */
  get kept(): PersistedTranscript {
    let room = KEPT_CHARS_MAX;
    const messages = [...this.#messages]
      .reverse()
      .filter((message) => isOnItsWay(message) || (room -= message.text.length) >= 0)
      .reverse();
    return { messages, count: this.#count };
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  addOwn(text: string, at: number): OwnMessage {
    return this.#add({ from: 'me', id: this.#nextId('me'), text, at, status: 'sending' });
  }

  addPeer(text: string, at: number): PeerMessage {
    return this.#add({ from: 'peer', id: this.#nextId('peer'), text, at });
  }

  /** Returns the own messages with these ids as they are now. */
  mark(ids: readonly string[], status: MessageStatus): OwnMessage[] {
    if (ids.length === 0) return [];
    const marked: OwnMessage[] = [];
    this.#messages = this.#messages.map((message) => {
      if (message.from !== 'me' || !ids.includes(message.id)) return message;
      const now = { ...message, status };
      marked.push(now);
      return now;
    });
    return marked;
  }

  #nextId(from: Message['from']): string {
    this.#count += 1;
    return `${from}-${this.#count}`;
  }

  #add<Added extends Message>(message: Added): Added {
    this.#messages = [...this.#messages, message];
    return message;
  }
}

function isOnItsWay(message: Message): boolean {
  return message.from === 'me' && message.status === 'sending';
}
