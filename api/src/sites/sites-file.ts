import { LIMITS, type Policy } from '@passerby/sdk/protocol';
import { z } from 'zod';
import { DEFAULT_MATCH_RULES, REACHES, type MatchRules } from '../decision/rules.ts';
import { parseOriginRule } from './origin-rule.ts';
import { createHash } from 'node:crypto';
import type { SiteId } from '../state/state-store.ts';
import type { Guard, Site } from './site.ts';
import * as ids from '../contract/ids.ts';
import { schemaFor } from '../contract/schema-for.ts';

const MINUTE_MS = 60_000;

/** What a site gets that says nothing. */
export const DEFAULT_POLICY: Policy = {
  interests: [],
  isFreeInterests: true,
  languages: [],
  topics: [],
  ageBands: [],
  rules: null,
  hasLinks: true,
  hasImages: false,
  isPeerToPeer: false,
  history: 'none',
  inactivityMs: 10 * MINUTE_MS,
};

/** What is asked of visitors where a site says nothing. */
export const DEFAULT_GUARD: Guard = { isClaimsNeeded: false, claimKeys: [], proofOfWork: 'under_pressure' };

const origin = z.string().transform((entry, context) => {
  try {
    return parseOriginRule(entry);
  } catch (error) {
    context.issues.push({ code: 'custom', message: (error as Error).message, input: entry });
    return z.NEVER;
  }
});

const weight = z.number().min(0).max(100);

const expansion = z.strictObject({
  afterMs: z
    .int()
    .min(0)
    .max(60 * MINUTE_MS),
  reach: z.enum(REACHES),
  isInterestNeeded: z.boolean(),
  isLanguageNeeded: z.boolean(),
  isRepeatAllowed: z.boolean(),
});

/** Who meets whom. Whatever is left out is the default. */
export const matchRules = schemaFor<MatchRules>()(
  z.strictObject({
    weights: z
      .strictObject({ interest: weight, language: weight, topic: weight, waiting: weight })
      .default(DEFAULT_MATCH_RULES.weights),
    expansions: z
      .array(expansion)
      .min(1)
      .max(10)
      .refine((steps) => steps[0]?.afterMs === 0, 'the first step is after 0 ms')
      .refine(
        (steps) => steps.every((step, n) => n === 0 || step.afterMs > steps[n - 1]!.afterMs),
        'each step is later than the one before',
      )
      .default([...DEFAULT_MATCH_RULES.expansions]),
    isLanguageHard: z.boolean().default(DEFAULT_MATCH_RULES.isLanguageHard),
    scanMax: z.int().min(20).max(200).default(DEFAULT_MATCH_RULES.scanMax),
    perTagMax: z.int().min(1).max(16).default(DEFAULT_MATCH_RULES.perTagMax),
    repeatMs: z
      .int()
      .min(0)
      .max(24 * 60 * MINUTE_MS)
      .default(DEFAULT_MATCH_RULES.repeatMs),
    confirmMs: z.int().min(500).max(30_000).default(DEFAULT_MATCH_RULES.confirmMs),
  }),
);

const site = z
  .strictObject({
    key: ids.siteKey,
    name: z.string().min(1).max(100),
    origins: z.array(origin),
    match: matchRules.default(DEFAULT_MATCH_RULES),
    interests: z.array(z.string().trim().min(1).max(LIMITS.interestMaxChars)).max(30).default([]),
    isFreeInterests: z.boolean().default(DEFAULT_POLICY.isFreeInterests),
    inactivityMs: z
      .int()
      .min(100)
      .max(24 * 60 * MINUTE_MS)
      .default(DEFAULT_POLICY.inactivityMs),
  })
  .transform(({ key, name, origins, match, ...policy }): Site => ({
    id: seedId(key),
    mode: key.startsWith('pk_live_') ? 'live' : 'test',
    name,
    keys: [key],
    origins,
    match,
    policy: { ...DEFAULT_POLICY, ...policy },
    guard: DEFAULT_GUARD,
  }));

/** The same on every node and after every start. */
function seedId(key: string): SiteId {
  return `site_${createHash('sha256').update(key).digest('base64url').slice(0, 16)}` as SiteId;
}

/** The file named by `SITES_FILE`: `{ "sites": [ { "key", "name", "origins", …policy } ] }`. Unknown keys are refused. */
export const sitesFile = z.strictObject({
  sites: z
    .array(site)
    .refine((sites) => new Set(sites.map(({ keys }) => keys[0])).size === sites.length, 'two sites have the same key'),
});
