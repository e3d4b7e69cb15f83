import { END_REASONS, LIMITS } from '@passerby/sdk/protocol';
import { z } from 'zod';
import type { NodeMessage } from './node-bus.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import { frameFault, frameSchema } from '../contract/frame.ts';
import * as ids from '../contract/ids.ts';
import { isValueWithin } from '../contract/json-bounds.ts';
import { schemaFor } from '../contract/schema-for.ts';

const sessionId = z
  .string()
  .startsWith('s_')
  .transform((text) => text as SessionId);
const nodeId = z
  .string()
  .startsWith('n_')
  .transform((text) => text as NodeId);
const siteId = z
  .string()
  .startsWith('site_')
  .transform((text) => text as SiteId);
const address = z.strictObject({ site: siteId, sessionId, nodeId });
const presence = z.enum(['here', 'away']);
const revision = z.int().min(0);
const seat = z.strictObject({
  conversationId: ids.conversationId,
  role: z.enum(['offerer', 'answerer']),
  shared: z.strictObject({ interests: z.array(z.string()), isSameTopic: z.boolean() }),
  peer: address,
});

const notice = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('started'), revision, to: address, seat }),
  z.strictObject({
    kind: z.literal('ended'),
    revision,
    to: address,
    conversationId: ids.conversationId,
    reason: z.enum(END_REASONS),
  }),
  z.strictObject({
    kind: z.literal('presence'),
    revision,
    to: address,
    conversationId: ids.conversationId,
    presence,
    peer: address,
  }),
]);

const message = schemaFor<NodeMessage>()(
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('notice'), notice }),
    z.strictObject({ kind: z.literal('superseded'), sessionId, fence: z.int().min(1) }),
    z.strictObject({ kind: z.literal('frame'), from: sessionId, to: sessionId, frame: frameSchema }),
  ]),
);

/** Version of the messages between nodes; a batch of another version is dropped and counted, never interpreted. */
const NODE_MESSAGE_VERSION = 1;

/** Name of the list of messages in a batch: nodes of the previous version read it, while nodes are replaced one after another. */
const LIST = 'parcels';

/** Batch as it is published. `parseNodeMessage` reads each message. */
const batchSchema = z.strictObject({
  version: z.literal(NODE_MESSAGE_VERSION),
  [LIST]: z.array(z.unknown()).min(1),
});

/** Returns the text of a batch of node messages. */
export function formatBatch(messages: readonly NodeMessage[]): string {
  return JSON.stringify({ version: NODE_MESSAGE_VERSION, [LIST]: messages });
}

/** Returns the unread messages of a batch; `null` if it is malformed, or of another version. */
export function parseBatch(unread: unknown): readonly unknown[] | null {
  return batchSchema.safeParse(unread).data?.[LIST] ?? null;
}

/**
 * Returns one node message of a batch; `null` if it is malformed. A frame has to pass the checks of a visitor's frame,
 * since the sending node may run a version that checks less.
 */
export function parseNodeMessage(unread: unknown): NodeMessage | null {
  const parsed = message.safeParse(unread);
  if (!parsed.success) return null;
  const { data } = parsed;
  if (data.kind !== 'frame') return data;
  const isFit = isValueWithin(data.frame.body, LIMITS.packetDepthMax) && frameFault(data.frame) === null;
  return isFit ? data : null;
}
