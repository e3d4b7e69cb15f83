import type { PersistedConversation } from '../conversation/conversation.ts';
import { type ConversationId, type FindPayload, ID_PATTERN, type ResumeToken } from '../protocol/index.ts';

/** A conversation the service must still be told of that this visitor has left. */
export interface PersistedDeparture {
  readonly kind: 'leave' | 'block';
  readonly conversationId: ConversationId;
}

/** Searches, departures and the conversation that would be lost with the page. */
export interface ActiveState {
  /** Criteria of the search, or those the running conversation was found by; `null` if nothing ever was. */
  readonly find: FindPayload | null;
  readonly isSearching: boolean;
  readonly departures: readonly PersistedDeparture[];
  readonly conversation: PersistedConversation | null;
}

/** All that a page leaves to the next one in its tab, or hands to another tab: plain data. */
export interface PersistedState extends ActiveState {
  readonly version: typeof PERSISTED_VERSION;
  /** Brings the visitor back to their session. */
  readonly resume: ResumeToken;
}

/** Raised whenever the shape changes: what another version of the SDK left behind is not read. */
export const PERSISTED_VERSION = 2;

/** Returns whether this is what an SDK of this version kept. The page's own scripts could write anything here; they need not to do harm. */
export function isPersistedState(value: unknown): value is PersistedState {
  const { version, resume } = (value ?? {}) as Partial<PersistedState>;
  return version === PERSISTED_VERSION && typeof resume === 'string' && ID_PATTERN.resumeToken.test(resume);
}

/** The same without what was said, for where there is no room for it. */
export function withoutTexts(kept: PersistedState): PersistedState {
  return kept.conversation === null ? kept : { ...kept, conversation: { info: kept.conversation.info, said: null } };
}
