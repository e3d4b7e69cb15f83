import type { ChatError } from './errors.ts';
import type { ConversationId, EndReason, OnlineBucket, PeerPresence, Shared } from './protocol/index.ts';
import type { ChatSnapshot, Message } from './state.ts';

/** The events of a chat, for `chat.on(name, listener)`. Each is emitted after the snapshot shows it. */
export interface ChatEvents {
  /** Anything in the snapshot changed. Not emitted when nothing did. */
  change: ChatSnapshot;
  /** A stranger was found. Once a conversation. */
  started: { readonly conversationId: ConversationId; readonly shared: Shared };
  /** The peer said something. Once a message, in the order they were said. */
  message: Extract<Message, { from: 'peer' }>;
  /** The peer's client has shown a message of yours. Once a message. */
  delivered: Extract<Message, { from: 'me' }>;
  /** The peer started or stopped composing. Not emitted for repeats. */
  typing: { readonly isTyping: boolean };
  /** The peer's connection went or came back. */
  presence: { readonly presence: PeerPresence };
  /**
   * The conversation is over. Exactly once a conversation, and nothing of it follows. `undelivered`
   * holds your messages that the peer never acknowledged. Not emitted when the conversation goes over to
   * another tab: there it goes on.
   */
  ended: {
    readonly conversationId: ConversationId;
    readonly reason: EndReason;
    readonly undelivered: readonly Extract<Message, { from: 'me' }>[];
  };
  /** About how many visitors are on the site changed. */
  online: OnlineBucket;
  /**
   * Something the visitor did not ask for failed: a refused connection, or `rate_limited` for messages that
   * came too fast and go out again after `retryAfterMs`. What they asked for rejects instead.
   */
  error: ChatError;
}
