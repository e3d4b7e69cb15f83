import { LIMITS, REPORT_REASONS, type ConversationId } from '@passerby/sdk/protocol';
import { z } from 'zod';
import { schemaFor } from '../../contract/schema-for.ts';
import { exactText } from '../../contract/text.ts';
import type { AuditEntry } from '../../records/audit.ts';
import { ACTORS, AUDIT_ACTIONS } from '../../records/column-values.ts';
import type { Ban } from '../../records/bans.ts';
import type { Report } from '../../records/reports.ts';
import type { AddressHash, SiteId } from '../../domain/ids.ts';
import { keyKind, keyMode } from '../../sites/input-schemas.ts';
import { settings } from '../../sites/settings.ts';
import type { KeyView, NewKeyView, SiteView } from '../../sites/site-service.ts';

/** Schema of an id in an answer, which was validated when it came in. */
function branded<Id extends string>() {
  return z.string() as unknown as z.ZodType<Id> & z.ZodString;
}

/** Schema of the id of a site in one mode, as sessions and reports have it, in a request. */
export const siteIdInMode = z
  .string()
  .regex(/^site_[A-Za-z0-9_-]{1,60}$/)
  .transform((text) => text as SiteId)
  .meta({ description: 'Id of a site; with `_test` at its end that of its test mode.' });

const side = branded<SiteId>().meta({ description: 'Id of a site; with `_test` at its end that of its test mode.' });

const time = z.int().meta({ description: 'Unix milliseconds.' });

const keyFields = {
  id: z.string(),
  kind: keyKind,
  mode: keyMode,
  hint: z.string().meta({ description: 'The publishable key itself; of a secret key its first and last characters.' }),
  createdAt: time,
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
  isGood: z.boolean(),
};

export const keyShape = schemaFor<KeyView>()(z.strictObject(keyFields)).meta({ id: 'Key' });

export const newKeyShape = schemaFor<NewKeyView>()(
  z.strictObject({
    ...keyFields,
    text: z.string().meta({ description: 'The key. A secret key is never shown again.' }),
  }),
).meta({ id: 'NewKey' });

export const siteShape = schemaFor<SiteView>()(
  z.strictObject({
    id: side,
    name: z.string(),
    isDisabled: z.boolean(),
    createdAt: time,
    origins: z.array(z.string()),
    settings: settings
      .nullable()
      .meta({ description: '`null` if this version cannot read them; the site is disabled until they are replaced.' }),
    keys: z.array(keyShape),
  }),
).meta({ id: 'Site' });

export const reportShape = schemaFor<Report>()(
  z.strictObject({
    id: z.string(),
    site: side,
    conversationId: branded<ConversationId>(),
    reason: z.enum(REPORT_REASONS),
    comment: z.string().nullable(),
    messages: z
      .array(z.strictObject({ from: z.enum(['me', 'peer']), text: z.string().max(LIMITS.textMaxChars) }))
      .nullable()
      .meta({ description: 'Messages that the reporter included, if the site keeps them; deleted once resolved.' }),
    reporter: branded<AddressHash>(),
    reportedAddress: branded<AddressHash>(),
    reportedBanId: z.string().nullable(),
    reporterNetwork: branded<AddressHash>().nullable().meta({
      description: 'Hash of the widest network of the reporter: reporters with the same one count as one.',
    }),
    reportedNetworks: z.array(branded<AddressHash>()).meta({
      description:
        'Hashes of the /56 and the /48 of the reported one, for a ban of more than their /64; empty for IPv4.',
    }),
    counts: z.boolean().meta({
      description:
        'Whether it counts towards an automatic ban: both sides had confirmed the match, and the reported one said something.',
    }),
    createdAt: time,
    status: z.enum(['open', 'resolved']),
    resolution: z.string().nullable(),
    resolvedAt: time.nullable(),
  }),
).meta({ id: 'Report' });

export const banShape = schemaFor<Ban>()(
  z.strictObject({
    id: z.string(),
    site: side.nullable(),
    kind: z.enum(['address', 'ban_id']),
    value: z.string(),
    reason: z.string(),
    actor: z.enum(ACTORS),
    createdAt: time,
    until: time.nullable(),
    liftedAt: time.nullable(),
  }),
).meta({ id: 'Ban' });

export const auditShape = schemaFor<AuditEntry>()(
  z.strictObject({
    id: z.string(),
    at: time,
    actor: z.enum(ACTORS),
    action: z.enum(AUDIT_ACTIONS),
    site: side.nullable(),
    subject: z.string().nullable(),
  }),
).meta({ id: 'AuditEntry' });

/** Schema of a page of a list. `next` is the `after` of the following page; `null` on the last. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() });
}

/** Parameters of a page of results. */
export const paging = {
  after: exactText().max(100).optional().meta({ description: 'The `next` of the previous page.' }),
  max: z.coerce.number().int().min(1).max(100).default(50),
};
