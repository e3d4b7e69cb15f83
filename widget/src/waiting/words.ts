import type { ChatState } from '@passerby/sdk';
import type { StringName } from '../i18n/en.ts';
import { LONG_WAIT_MS } from './distance.ts';

type Waiting = Extract<ChatState, { status: 'waiting' }>;

/** Text about a wait: the name of a string, and the values of its placeholders. */
export interface WaitWords {
  readonly heading: StringName;
  readonly line: StringName;
  readonly values: Readonly<Record<string, number>>;
}

/** Shortest estimate that is shown: shorter ones are over before they are read. Milliseconds. */
const ESTIMATE_MIN_MS = 2_000;

/**
 * Texts about a wait: the heading names the present reach of the search, the line below it the most useful fact: a
 * criterion to widen, the usual duration, or the next step.
 */
export function waitWords({ since, progress }: Waiting, now: number, hasTopic: boolean): WaitWords {
  const reach = progress?.reach ?? 'topic';
  const heading = hasTopic ? HEADINGS[reach] : 'waitingHeading';
  const [widening] = progress?.widen ?? [];
  if (widening !== undefined) return { heading, line: WIDENINGS[widening.what], values: { count: widening.atLeast } };
  if (now - since >= LONG_WAIT_MS) return { heading, line: 'waitingLong', values: {} };
  if (progress?.etaMs !== undefined && progress.etaMs >= ESTIMATE_MIN_MS) {
    return { heading, line: 'waitingEstimate', values: { seconds: Math.round(progress.etaMs / 1_000) } };
  }
  return { heading, line: hasTopic && reach !== 'site' ? 'waitingNext' : 'waitingSoon', values: {} };
}

const HEADINGS = {
  topic: 'waitingTopic',
  section: 'waitingSection',
  site: 'waitingSite',
} as const satisfies Record<NonNullable<Waiting['progress']>['reach'], StringName>;

const WIDENINGS = {
  languages: 'widenLanguages',
  groups: 'widenGroups',
} as const satisfies Record<NonNullable<Waiting['progress']>['widen'][number]['what'], StringName>;
