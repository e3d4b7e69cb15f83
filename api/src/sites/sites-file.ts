import { LIMITS, type Policy } from '@passerby/sdk/protocol';
import { z } from 'zod';
import { parseOriginRule } from './origin-rule.ts';
import type { Site } from './site.ts';
import * as ids from '../contract/ids.ts';

const MINUTE_MS = 60_000;

/** What a site gets that says nothing. */
export const DEFAULT_POLICY: Policy = { interests: [], isFreeInterests: true, inactivityMs: 10 * MINUTE_MS };

const origin = z.string().transform((entry, context) => {
  try {
    return parseOriginRule(entry);
  } catch (error) {
    context.issues.push({ code: 'custom', message: (error as Error).message, input: entry });
    return z.NEVER;
  }
});

const site = z
  .strictObject({
    key: ids.siteKey,
    name: z.string().min(1).max(100),
    origins: z.array(origin),
    interests: z.array(z.string().trim().min(1).max(LIMITS.interestMaxChars)).max(30).default([]),
    isFreeInterests: z.boolean().default(DEFAULT_POLICY.isFreeInterests),
    inactivityMs: z
      .int()
      .min(100)
      .max(24 * 60 * MINUTE_MS)
      .default(DEFAULT_POLICY.inactivityMs),
  })
  .transform(({ key, name, origins, ...policy }): Site => ({ key, name, origins, policy }));

/** The file named by `SITES_FILE`: `{ "sites": [ { "key", "name", "origins", …policy } ] }`. Unknown keys are refused. */
export const sitesFile = z.strictObject({
  sites: z
    .array(site)
    .refine((sites) => new Set(sites.map(({ key }) => key)).size === sites.length, 'two sites have the same key'),
});
