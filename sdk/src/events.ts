import type { ChatError } from './errors.ts';
import type { ConversationId, EndReason, OnlineBucket, PeerPresence, Shared } from './protocol/index.ts';
import type { ChatSnapshot, Message } from './state.ts';

/** Events of a chat, for `chat.on(name, listener)`. Each is emitted once the snapshot contains its effect. */
export interface ChatEvents {
  /** The snapshot changed. Not emitted if nothing in it did. */
  change: ChatSnapshot;
  /** A conversation with a stranger began. Emitted once per conversation. */
  started: { readonly conversationId: ConversationId; readonly shared: Shared };
  /** A message of the peer arrived. Emitted once per message, in the order in which the peer sent them. */
  message: Extract<Message, { from: 'peer' }>;
  /** The peer's client acknowledged a message of this visitor. Emitted once per message. */
  delivered: Extract<Message, { from: 'me' }>;
  /** The peer started or stopped composing. Not emitted for repeats. */
  typing: { readonly isTyping: boolean };
  /** The peer lost their connection, or is connected again. */
  presence: { readonly presence: PeerPresence };
  /**
   * The conversation ended. Emitted once per conversation, as its last event. `undelivered` contains the messages of
   * this visitor that the peer did not acknowledge. Not emitted when the conversation moves to another tab, where it
   * continues.
   */
  ended: {
    readonly conversationId: ConversationId;
    readonly reason: EndReason;
    readonly undelivered: readonly Extract<Message, { from: 'me' }>[];
  };
  /** The approximate number of visitors on the site changed. */
  online: OnlineBucket;
  /**
   * Something failed outside of any call: a connection was refused, or messages were sent too fast (`rate_limited`) and
   * are sent again after `retryAfterMs`. A call that fails rejects instead, without this event.
   */
  error: ChatError;
}
