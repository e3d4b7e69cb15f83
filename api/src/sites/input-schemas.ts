import { z } from 'zod';
import { freeText } from '../contract/text.ts';
import { Refusal } from '../errors.ts';
import type { SiteId } from '../domain/ids.ts';
import { parseOriginRule } from './origin-rule.ts';
import { settings } from './settings.ts';

const ORIGINS_MAX = 100;
/** As long as a host name may be (RFC 1035), with scheme, wildcard and port. */
const ORIGIN_MAX_CHARS = 275;
/** Time for which a former key may stay good beside its successor: 30 days, in milliseconds. */
export const OVERLAP_MAX_MS = 30 * 24 * 3_600_000;

export const siteName = freeText().trim().min(1).max(100);

/** A site's own id. What ends in `_test` would be the test side of another, and the demo site is built in. */
export const siteId = z
  .string()
  .regex(/^site_[A-Za-z0-9_-]{4,40}$/, 'site_ and 4 to 40 of A-Z a-z 0-9 _ -')
  .refine((id) => !id.endsWith('_test') && id !== 'site_demo', 'not site_demo, and nothing that ends in _test')
  .transform((id) => id as SiteId);

/** One entry of the list of origins, as it is written. */
export const originEntry = z
  .string()
  .max(ORIGIN_MAX_CHARS)
  .superRefine((entry, context) => {
    try {
      parseOriginRule(entry);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message, input: entry });
    }
  });

export const originEntries = z
  .array(originEntry)
  .max(ORIGINS_MAX)
  .refine((entries) => new Set(entries).size === entries.length, 'each origin once');

export const keyKind = z.enum(['publishable', 'secret']);
export const keyMode = z.enum(['live', 'test']);
export const overlapMs = z.int().min(0).max(OVERLAP_MAX_MS);

/** Schema of a new site. */
export const newSite = z.strictObject({
  id: siteId.exactOptional(),
  name: siteName,
  origins: originEntries.default([]),
  settings: settings.optional(),
});
export type NewSiteInput = z.input<typeof newSite>;

/** Returns what `schema` makes of a value. Refuses `bad_request` with a message that names each field and what it wants. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, field?: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const wants = parsed.error.issues.map(({ path, message }) => {
    const name = [...(field === undefined ? [] : [field]), ...path].join('.');
    return name === '' ? message : `${name}: ${message}`;
  });
  throw new Refusal('bad_request', { message: wants.join('; ') });
}
