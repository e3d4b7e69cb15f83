import type { Chat } from './chat.ts';
import { Client } from './client.ts';
import { randomId } from './internal/random-id.ts';
import { checkOptions, type ChatOptions } from './options.ts';
import { tabLock } from './tabs/tab-lock.ts';
import { storageKey, tabKey, tabStorage } from './tabs/tab-storage.ts';
import { connectSocket } from './connection/socket-transport.ts';

/**
 * Creates the chat of a visitor. This sends and stores nothing, so that it can be called while a server renders a page.
 * @throws TypeError for an invalid option; the message names the option and the expected value.
 */
export function createChat(options: ChatOptions): Chat {
  const target = checkOptions(options);
  const key = tabKey(target.site, target.scope);
  return new Client({
    connectTransport: connectSocket(target),
    storage: tabStorage(storageKey(target.site, target.scope)),
    lock: (events) => tabLock(key, randomId, events),
    random: Math.random,
    newId: randomId,
  });
}

/**
 * Returns whether the previous page of this tab left a search or a conversation that `createChat(…).resume()` would
 * continue. `scope` as in {@link ChatOptions}.
 */
export function canResume({ site, scope = '' }: Pick<ChatOptions, 'site' | 'scope'>): boolean {
  return tabStorage(storageKey(site, scope)).read() !== null;
}

export type { CallOptions, Chat } from './chat.ts';
export { ChatError, type ChatErrorCode } from './errors.ts';
export type { ChatEvents } from './events.ts';
export type { ChatOptions, Claims } from './options.ts';
export { type Agreement, type NeededAgreement, needsAgreement } from './commands/consent.ts';
export type { Report } from './commands/report-sender.ts';
export type { ChatSnapshot, ChatState, Connection, Message, MessageStatus, Peer } from './state.ts';
export {
  type Agreed,
  type ConversationId,
  type Criteria,
  END_REASONS,
  type EndReason,
  LIMITS,
  type OnlineBucket,
  type PeerPresence,
  type Policy,
  REPORT_REASONS,
  type ReportReason,
  type Retry,
  type Rules,
  type Shared,
  TIMES,
  type WaitStatus,
  type Widening,
} from './protocol/index.ts';
