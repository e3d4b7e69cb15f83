import { END_REASONS } from '@passerby/sdk/protocol';
import { z } from 'zod';
import type { Parcel } from '../cluster/node-link.ts';
import type { NodeId, SessionId, SiteId } from '../state/state-store.ts';
import { frameSchema } from './frame.ts';
import * as ids from './ids.ts';
import { schemaFor } from './schema-for.ts';

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

const parcel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('notice'), notice }),
  z.strictObject({ kind: z.literal('superseded'), sessionId, fence: z.int().min(1) }),
  z.strictObject({ kind: z.literal('frame'), from: sessionId, to: sessionId, frame: frameSchema }),
]);

/** What travels between nodes of one version; another version is dropped and counted, never guessed at. */
export const LINK_VERSION = 1;

/** One turn's worth of parcels. */
export const parcelBatch = schemaFor<{ readonly version: typeof LINK_VERSION; readonly parcels: readonly Parcel[] }>()(
  z.strictObject({ version: z.literal(LINK_VERSION), parcels: z.array(parcel).min(1) }),
);
