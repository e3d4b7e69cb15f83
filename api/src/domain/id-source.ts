import { randomBytes } from 'node:crypto';
import type { ConversationId, ResumeToken } from '@passerby/sdk/protocol';
import type { NodeId, SessionId } from './ids.ts';

/** 128 bits, which cannot be guessed. */
const RANDOM_BYTES = 16;

/** Makes the ids and secrets of the service; tests pass counters. */
export interface IdSource {
  session(): SessionId;
  conversation(): ConversationId;
  resume(): ResumeToken;
  node(): NodeId;
  /** Returns the id of one call to a store, which makes retries idempotent. */
  operation(): string;
}

const random = (prefix: string) => prefix + randomBytes(RANDOM_BYTES).toString('base64url');

export const randomIds: IdSource = {
  session: () => random('s_') as SessionId,
  conversation: () => random('c_') as ConversationId,
  resume: () => random('r_') as ResumeToken,
  node: () => random('n_') as NodeId,
  operation: () => random(''),
};
