import {
  ID_PATTERN,
  type ConversationId,
  type RequestId,
  type ResumeToken,
  type Run,
  type SiteKey,
} from '@passerby/sdk/protocol';
import { z } from 'zod';

/** Schema of an id: one of the two places at which a string becomes an id (the other is the SDK's client). */
function branded<Id extends string>(pattern: RegExp) {
  return z
    .string()
    .regex(pattern)
    .transform((text) => text as Id);
}

export const siteKey = branded<SiteKey>(ID_PATTERN.siteKey);
export const conversationId = branded<ConversationId>(ID_PATTERN.conversationId);
export const requestId = branded<RequestId>(ID_PATTERN.requestId);
export const resumeToken = branded<ResumeToken>(ID_PATTERN.resumeToken);
export const run = branded<Run>(ID_PATTERN.run);
