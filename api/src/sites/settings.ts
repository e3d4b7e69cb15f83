import { LIMITS, type Policy } from '@passerby/sdk/protocol';
import { z } from 'zod';
import { schemaFor } from '../contract/schema-for.ts';
import { freeText } from '../contract/text.ts';
import { DEFAULT_MATCH_RULES, REACHES, type MatchRules } from '../matching/rules.ts';
import type { Guard } from './site.ts';

const MINUTE_MS = 60_000;

/** Most interests, languages and topics a site may offer: more is no choice but a search. */
const OFFERS_MAX = 30;
const AGE_BANDS_MAX = 6;
const RULES_MAX_CHARS = 4_000;

/** Default of a site that sets nothing. */
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

/** Default of what is asked of visitors. */
export const DEFAULT_GUARD: Guard = { isClaimsNeeded: false, claimKeys: [], proofOfWork: 'under_pressure' };

/** All that an owner may set: what visitors may do, who meets whom, and what is asked of them before. */
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

/** Rules for who meets whom. Whatever is left out is the default. */
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
/** On the wire already and nothing behind it yet: nobody shall believe that it does something. */
const reserved = z
  .boolean()
  .refine((isOn) => !isOn, 'reserved: it must be false')
  .default(false);
const distinct = (list: readonly string[]) => new Set(list).size === list.length;

/** The fields of `Settings` as they are written, each with its default. Unknown ones are refused by who uses them. */
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

/** Settings as an owner writes them: everything may be left out, nothing may be added. */
export const settings = schemaFor<Settings>()(z.strictObject(settingsFields));

/** Default of a site that sets nothing. */
export const DEFAULT_SETTINGS: Settings = settings.parse({});

/** As the records keep them, fields in one order, so that the same settings are the same text. */
export function writeSettings(given: Settings): string {
  return JSON.stringify(settings.parse(given));
}

/** A field that a newer version of the service wrote is passed over, so that old and new nodes can run side by side. */
const storedSettings = schemaFor<Settings>()(z.object(settingsFields));

/** Settings of the records are not what this version of the service can read. */
export class UnreadableSettings extends Error {
  override readonly name = 'UnreadableSettings';
  /** The first that is wrong, such as `settings.match.scanMax`; `settings` if they are no JSON. */
  readonly field: string;

  constructor(path: readonly PropertyKey[], cause: unknown) {
    const field = ['settings', ...path].join('.');
    super(`${field} cannot be read`, { cause });
    this.field = field;
  }
}

/** Out of the records. Throws `UnreadableSettings`. */
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

/** The same; `null` if it is not what this version of the service can read. */
export function tryReadSettings(text: string): Settings | null {
  try {
    return readSettings(text);
  } catch {
    // Whoever looks at a site is told by the `null`; the directory logs why.
    return null;
  }
}
