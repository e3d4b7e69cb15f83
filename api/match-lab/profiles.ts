import type { Criteria } from '@passerby/sdk/protocol';
import type { Share } from './dice.ts';

/** Invented site with invented visitors. */
export interface Profile {
  readonly name: string;
  /** Short title, for the plot and the tables. */
  readonly title: string;
  readonly arrivals: Arrivals;
  /** Pages of the site, some visited much more than others (Zipf), and the sections they are in. */
  readonly pages: number;
  readonly sections: number;
  /** Number of interests (Zipf); each visitor names none to `interestsMax` of them. */
  readonly interests: number;
  readonly interestsMax: number;
  readonly languages: readonly Share<readonly string[]>[];
  readonly groups: readonly Share<Pick<Criteria, 'is' | 'seeks'>>[];
  readonly patience: { readonly leastMs: number; readonly meanMs: number };
  readonly talkMeanMs: number;
  /** Share of visitors who search again after a conversation. */
  readonly goingOnShare: number;
  readonly cohortOf: (criteria: Criteria) => string;
}

export type Arrivals =
  | { readonly kind: 'steady'; readonly aMinute: number; readonly minutes: number }
  | {
      readonly kind: 'bursts';
      readonly bursts: number;
      readonly visitors: number;
      readonly withinMs: number;
      readonly everyMs: number;
    };

/**
 * End of the measured time. On a site with steady arrivals, the time after the last arrival is not typical; between
 * bursts the waiting is the subject of the profile.
 */
export function countedUntilMs({ arrivals }: Profile): number {
  return arrivals.kind === 'steady' ? arrivals.minutes * 60_000 : Number.POSITIVE_INFINITY;
}

const ENGLISH_MOSTLY = [
  { share: 70, value: ['en'] },
  { share: 12, value: ['es', 'en'] },
  { share: 8, value: ['es'] },
  { share: 10, value: [] },
];

const ORDINARY = {
  pages: 12,
  sections: 3,
  interests: 60,
  interestsMax: 4,
  languages: ENGLISH_MOSTLY,
  groups: [{ share: 1, value: {} }],
  patience: { leastMs: 10_000, meanMs: 60_000 },
  talkMeanMs: 45_000,
  goingOnShare: 0.7,
} as const satisfies Partial<Profile>;

const byLanguages = ({ languages = [] }: Criteria): string =>
  languages.length === 0 ? 'none named' : languages.join(' and ');

const byPage = ({ topic = '' }: Criteria): string =>
  topic.endsWith('/page-1') ? 'on the first page' : 'on another page';

/** Group of a visitor by whether they name the interest that most people name. */
function byPopularInterest({ interests = [] }: Criteria): string {
  if (interests.length === 0) return 'names none';
  return interests.includes('interest 1') ? 'names the popular one' : 'names others only';
}

/** Sites of the simulation. Their visitors are invented; results show the effect of the rules on them. */
export const PROFILES: readonly Profile[] = [
  {
    ...ORDINARY,
    name: 'busy',
    title: 'Busy site',
    arrivals: { kind: 'steady', aMinute: 180, minutes: 6 },
    cohortOf: byLanguages,
  },
  {
    ...ORDINARY,
    name: 'quiet',
    title: 'Small site',
    arrivals: { kind: 'steady', aMinute: 3, minutes: 240 },
    pages: 8,
    cohortOf: byPage,
  },
  {
    ...ORDINARY,
    name: 'bursts',
    title: 'Bursts',
    arrivals: { kind: 'bursts', bursts: 3, visitors: 300, withinMs: 5_000, everyMs: 300_000 },
    cohortOf: byPage,
  },
  {
    ...ORDINARY,
    name: 'rare-language',
    title: 'A rare language',
    arrivals: { kind: 'steady', aMinute: 40, minutes: 25 },
    languages: [
      { share: 92, value: ['en'] },
      { share: 4, value: ['is', 'en'] },
      { share: 4, value: ['is'] },
    ],
    cohortOf: byLanguages,
  },
  {
    ...ORDINARY,
    name: 'popular-interest',
    title: 'A popular interest',
    arrivals: { kind: 'steady', aMinute: 40, minutes: 25 },
    interests: 400,
    cohortOf: byPopularInterest,
  },
  {
    ...ORDINARY,
    name: 'unbalanced-groups',
    title: 'Two groups, 60 to 40',
    arrivals: { kind: 'steady', aMinute: 40, minutes: 25 },
    groups: [
      { share: 60, value: { is: 'asking', seeks: ['answering'] } },
      { share: 40, value: { is: 'answering', seeks: ['asking'] } },
    ],
    cohortOf: ({ is = '' }) => is,
  },
  {
    ...ORDINARY,
    name: 'regulars',
    title: 'Two dozen regulars',
    arrivals: { kind: 'bursts', bursts: 6, visitors: 24, withinMs: 60_000, everyMs: 3_600_000 },
    goingOnShare: 0.95,
    cohortOf: byLanguages,
  },
];
