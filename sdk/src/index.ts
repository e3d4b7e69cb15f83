import type { Chat } from './chat.ts';
import { Client } from './client.ts';
import { randomId } from './internal/random-id.ts';
import { checkOptions, type ChatOptions } from './options.ts';
import { resumeMemory } from './session/resume-memory.ts';
import { socketDial } from './transport/socket-transport.ts';

/**
 * Makes a visitor's chat. Nothing is sent and nothing stored before `connect()` or `find()`, so it
 * can be called while rendering on a server.
 * @throws TypeError for an option that cannot be right; the message says which one and what it wants.
 */
export function createChat(options: ChatOptions): Chat {
  return new Client({
    dial: socketDial(checkOptions(options)),
    resume: resumeMemory(),
    random: Math.random,
    newId: randomId,
  });
}

export type { CallOptions, Chat } from './chat.ts';
export { ChatError, type ChatErrorCode } from './errors.ts';
export type { ChatEvents } from './events.ts';
export type { ChatOptions } from './options.ts';
export type { ChatSnapshot, ChatState, Connection, Message, MessageStatus, Peer } from './state.ts';
export {
  type ConversationId,
  type Criteria,
  END_REASONS,
  type EndReason,
  LIMITS,
  type OnlineBucket,
  type PeerPresence,
  type Policy,
  type Retry,
  type Shared,
  type WaitStatus,
  type Widening,
} from './protocol/index.ts';
