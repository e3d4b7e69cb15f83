import { LIMITS, type Policy } from '@passerby/sdk/protocol';
import { z } from 'zod';
import { schemaFor } from '../contract/schema-for.ts';
import { freeText } from '../contract/text.ts';
import { DEFAULT_MATCH_RULES, REACHES, type MatchRules } from '../matching/rules.ts';
import type { Guard } from './site.ts';

const MINUTE_MS = 60_000;

/** Maximum number of interests, languages or topics that a site may offer: nobody can choose from more without a search. */
const OFFERS_MAX = 30;
const AGE_BANDS_MAX = 6;
const RULES_MAX_CHARS = 4_000;

/** Default policy. */
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

/** Default requirements for visitors. */
export const DEFAULT_GUARD: Guard = { isClaimsNeeded: false, claimKeys: [], proofOfWork: 'under_pressure' };

/** Settings of a site by its owner: the policy, the matching rules, and the requirements for visitors. */
export interface Settings extends Policy {
  readonly match: MatchRules;
  readonly isClaimsNeeded: boolean;
  readonly proofOfWork: Guard['proofOfWork'];
}

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

/** Schema of the matching rules. Fields that are left out get their default. */
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

/** Pattern of an age band, which excludes the separator between a band and a tag in the waiting queue (`matching/ticket.ts`). */
export const AGE_BAND = /^[^|]*$/;

const word = (maxChars: number) => freeText().trim().min(1).max(maxChars);
/** Schema of a field that is on the wire but not implemented: only `false`, so that nobody relies on it. */
const reserved = z
  .boolean()
  .refine((isOn) => !isOn, 'reserved: it must be false')
  .default(false);
const distinct = (list: readonly string[]) => new Set(list).size === list.length;

/** Schemas of the fields of `Settings`, each with its default. The object schemas below decide about unknown fields. */
export const settingsFields = {
  interests: z.array(word(LIMITS.interestMaxChars)).max(OFFERS_MAX).default([]),
  isFreeInterests: z.boolean().default(DEFAULT_POLICY.isFreeInterests),
  languages: z
    .array(
      word(LIMITS.languageMaxChars).regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'a language tag, such as en or pt-BR'),
    )
    .max(OFFERS_MAX)
    .default([]),
  topics: z.array(word(LIMITS.topicMaxChars)).max(OFFERS_MAX).default([]),
  ageBands: z
    .array(word(LIMITS.ageBandMaxChars).regex(AGE_BAND, 'no |'))
    .max(AGE_BANDS_MAX)
    .refine(distinct, 'each age band once')
    .default([]),
  rules: z
    .strictObject({
      version: z.string().regex(/^[A-Za-z0-9._-]{1,40}$/, '1 to 40 of A-Z a-z 0-9 . _ -'),
      text: word(RULES_MAX_CHARS),
    })
    .nullable()
    .default(DEFAULT_POLICY.rules),
  hasLinks: z.boolean().default(DEFAULT_POLICY.hasLinks),
  hasImages: reserved,
  isPeerToPeer: reserved,
  history: z.enum(['none', 'reports']).default(DEFAULT_POLICY.history),
  inactivityMs: z
    .int()
    .min(100)
    .max(24 * 60 * MINUTE_MS)
    .default(DEFAULT_POLICY.inactivityMs),
  match: matchRules.default(DEFAULT_MATCH_RULES),
  isClaimsNeeded: z.boolean().default(DEFAULT_GUARD.isClaimsNeeded),
  proofOfWork: z.enum(['never', 'under_pressure', 'always']).default(DEFAULT_GUARD.proofOfWork),
};

/** Schema of settings entered by an owner: every field is optional, unknown ones are refused. */
export const settings = schemaFor<Settings>()(z.strictObject(settingsFields));

/** Default settings. */
export const DEFAULT_SETTINGS: Settings = settings.parse({});

/** Serialises settings for the records, fields in a fixed order, so that equal settings are equal text. */
export function writeSettings(given: Settings): string {
  return JSON.stringify(settings.parse(given));
}

/**
 * Schema of stored settings: fields of a newer version of the service are ignored, so that old and new nodes can run
 * side by side.
 */
const storedSettings = schemaFor<Settings>()(z.object(settingsFields));

/** Error for stored settings that this version of the service cannot read. */
export class UnreadableSettings extends Error {
  override readonly name = 'UnreadableSettings';
  /** First invalid field, such as `settings.match.scanMax`; `settings` if the text is not JSON. */
  readonly field: string;

  constructor(path: readonly PropertyKey[], cause: unknown) {
    const field = ['settings', ...path].join('.');
    super(`${field} cannot be read`, { cause });
    this.field = field;
  }
}

/** Parses stored settings. Throws `UnreadableSettings`. */
export function readSettings(text: string): Settings {
  const parsed = storedSettings.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new UnreadableSettings(parsed.error.issues[0]!.path, parsed.error);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UnreadableSettings([], error);
  }
}

/** Parses stored settings; `null` if this version of the service cannot read them. */
export function tryReadSettings(text: string): Settings | null {
  try {
    return readSettings(text);
  } catch {
    // Whoever looks at a site is told by the `null`; the directory logs why.
    return null;
  }
}
