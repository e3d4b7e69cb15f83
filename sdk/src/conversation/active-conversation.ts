import type { ChatState } from '../state.ts';
import type { ConversationId, ConversationInfo } from '../protocol/index.ts';
import type { OwnMessage } from './transcript.ts';
import { Conversation, type ConversationMemory, type ConversationParts } from './conversation.ts';

/** Limits how many ended conversations are remembered, so that late pushes for them can be ignored. */
const ENDED_MAX = 16;

export type ActiveConversationParts = Omit<ConversationParts, 'info' | 'memory' | 'changed'> & {
  /** Called when the peer or the messages of the active conversation change. */
  readonly changed: (state: ChatState) => void;
};

/** Holder of the conversation the visitor is in, if any, and of the ids of those that ended here. */
export class ActiveConversation {
  readonly #parts: ActiveConversationParts;
  /** The latest last. */
  #ended: readonly ConversationId[] = [];
  current: Conversation | null = null;

  constructor(parts: ActiveConversationParts) {
    this.#parts = parts;
  }

  /** Returns the active conversation if it is this one. */
  get(id: ConversationId): Conversation | null {
    return this.current?.id === id ? this.current : null;
  }

  /** Makes a conversation the active one. */
  begin(info: ConversationInfo, memory: ConversationMemory): Conversation {
    return (this.current = new Conversation({
      ...this.#parts,
      info,
      memory,
      changed: (conversation) => {
        if (this.current === conversation) this.#parts.changed(chatting(conversation));
      },
    }));
  }

  /** Gives the active conversation up without ending it: it goes on in another tab or page. */
  handOver(): void {
    this.current?.handOver();
    this.current = null;
  }

  /** Ends the active conversation: nothing of it is emitted any more. Returns it, with what the peer never acknowledged; `null` if there is none. */
  end(): { readonly conversation: Conversation; readonly undelivered: OwnMessage[] } | null {
    const conversation = this.current;
    if (conversation === null) return null;
    this.current = null;
    this.noteEnded(conversation.id);
    return { conversation, undelivered: conversation.end() };
  }

  hasEnded(id: ConversationId): boolean {
    return this.#ended.includes(id);
  }

  noteEnded(id: ConversationId): void {
    const others = this.#ended.filter((other) => other !== id);
    this.#ended = [...others.slice(1 - ENDED_MAX), id];
  }

  /** Forgets the end of a conversation that runs, as the service says. */
  noteRunning(id: ConversationId): void {
    this.#ended = this.#ended.filter((other) => other !== id);
  }
}

/** The state that shows a conversation. */
export function chatting({ id, shared, peer, messages }: Conversation): ChatState {
  return { status: 'chatting', conversationId: id, shared, peer, messages };
}
