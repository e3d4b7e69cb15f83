import type { Message, MessageStatus } from '../state.ts';

export type OwnMessage = Extract<Message, { from: 'me' }>;
export type PeerMessage = Extract<Message, { from: 'peer' }>;

/** What was said, in the order it is shown. Every array handed out is immutable; only what changed is a new object. */
export class Transcript {
  #messages: readonly Message[] = [];
  #count = 0;

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
