import type { KeptConversation } from '../conversation/conversation.ts';
import { type ConversationId, type FindPayload, ID_PATTERN, type ResumeToken } from '../protocol/index.ts';

/** A conversation the service must still be told of that this visitor has left. */
export interface KeptLeaving {
  readonly kind: 'leave' | 'block';
  readonly conversationId: ConversationId;
}

/** What a visitor is in the middle of. */
export interface Doing {
  /** What is looked for, or what the running conversation was found by; `null` if nothing ever was. */
  readonly find: FindPayload | null;
  readonly isSearching: boolean;
  readonly leavings: readonly KeptLeaving[];
  readonly conversation: KeptConversation | null;
}

/** All that a page leaves to the next one in its tab, or hands to another tab: plain data. */
export interface Kept extends Doing {
  readonly version: typeof KEPT_VERSION;
  /** Brings the visitor back to their session. */
  readonly resume: ResumeToken;
}

/** Raised whenever the shape changes: what another version of the SDK left behind is not read. */
export const KEPT_VERSION = 1;

/** Whether this is what an SDK of this version kept. The page's own scripts could write anything here; they need not to do harm. */
export function isKept(value: unknown): value is Kept {
  const { version, resume } = (value ?? {}) as Partial<Kept>;
  return version === KEPT_VERSION && typeof resume === 'string' && ID_PATTERN.resumeToken.test(resume);
}

/** The same without what was said, for where there is no room for it. */
export function withoutWords(kept: Kept): Kept {
  return kept.conversation === null ? kept : { ...kept, conversation: { info: kept.conversation.info, said: null } };
}
