// Compiled by `tsc -p sdk`, never run: each `@ts-expect-error` is a test that fails when nothing is wrong.
import { createChat } from './index.ts';
import type { ChatSnapshot, ChatState, ConversationId, EndReason, Message } from './index.ts';
import { assertNever } from './internal/assert-never.ts';

const chat = createChat({ url: 'https://chat.example.org', site: 'pk_test_demo' });

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(isSame: Equal<A, B>): void {
  void isSame;
}

chat.on('message', (message) => {
  same<typeof message, Extract<Message, { from: 'peer' }>>(true);
  // @ts-expect-error what the peer said has no delivery status
  void message.status;
});
chat.on('ended', (event) => {
  same<typeof event.reason, EndReason>(true);
  same<typeof event.conversationId, ConversationId>(true);
});
chat.on('typing', ({ isTyping }) => {
  same<typeof isTyping, boolean>(true);
});
chat.on('change', (snapshot) => {
  same<typeof snapshot, ChatSnapshot>(true);
  // @ts-expect-error a snapshot is immutable
  snapshot.online = null;
});
// @ts-expect-error there is no such event
chat.on('mesage', () => undefined);
// @ts-expect-error the listener takes another event
chat.on('typing', (event: { text: string }) => event.text);
// @ts-expect-error the site is not optional
createChat({ url: 'https://chat.example.org' });
// @ts-expect-error there is no such option
createChat({ url: 'https://chat.example.org', site: 'pk_test_demo', key: 'x' });

const undo = chat.on('change', () => undefined);
same<typeof undo, () => void>(true);

/** Every variant, with what is true in it and nothing else. */
export function describe(state: ChatState): string {
  switch (state.status) {
    case 'idle':
    case 'elsewhere':
    case 'closed':
      return state.status;
    case 'waiting':
      // @ts-expect-error nobody is there yet
      void state.peer;
      return String(state.since);
    case 'chatting':
      return state.peer.isTyping ? '…' : state.conversationId;
    case 'ended':
      // @ts-expect-error the peer is gone
      void state.peer;
      return state.reason;
    case 'refused':
      return state.error.code;
    default:
      return assertNever(state);
  }
}
