import type { ChatState } from '@passerby/sdk';
import type { StringName } from '../i18n/en.ts';
import { LONG_WAIT_MS } from './distance.ts';

type Waiting = Extract<ChatState, { status: 'waiting' }>;

/** Text about a wait: a string's name, and what fills its blanks. */
export interface WaitWords {
  readonly heading: StringName;
  readonly line: StringName;
  readonly values: Readonly<Record<string, number>>;
}

/** Estimates shorter than this are over before they are read. */
const ESTIMATE_MIN_MS = 2_000;

/**
 * The heading says where we look now; the line says the one most useful thing: what stands in the way,
 * how long it usually takes, or what comes next.
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
