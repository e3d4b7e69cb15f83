import { z } from 'zod';
import { freeText } from '../contract/text.ts';
import { Refusal } from '../errors.ts';
import type { SiteId } from '../domain/ids.ts';
import { parseOriginRule } from './origin-rule.ts';
import { settings } from './settings.ts';

const ORIGINS_MAX = 100;
/** Maximum length of an origin: a host name (RFC 1035) with scheme, wildcard and port. */
const ORIGIN_MAX_CHARS = 275;
/** Maximum time for which a rotated key may stay valid beside its successor: 30 days. Milliseconds. */
export const OVERLAP_MAX_MS = 30 * 24 * 3_600_000;

export const siteName = freeText().trim().min(1).max(100);

/**
 * Schema of the id of a new site. Not one that ends in `_test`, the id of another site in test mode, nor that of the
 * built-in demo site.
 */
export const siteId = z
  .string()
  .regex(/^site_[A-Za-z0-9_-]{4,40}$/, 'site_ and 4 to 40 of A-Z a-z 0-9 _ -')
  .refine((id) => !id.endsWith('_test') && id !== 'site_demo', 'not site_demo, and nothing that ends in _test')
  .transform((id) => id as SiteId);

/** Schema of one entry of the list of origins, as entered. */
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

/** Parses a value by `schema`. Refuses `bad_request` with a message that names each invalid field and what is expected. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, field?: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const wants = parsed.error.issues.map(({ path, message }) => {
    const name = [...(field === undefined ? [] : [field]), ...path].join('.');
    return name === '' ? message : `${name}: ${message}`;
  });
  throw new Refusal('bad_request', { message: wants.join('; ') });
}
