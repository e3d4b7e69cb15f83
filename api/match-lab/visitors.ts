import type { Criteria } from '@passerby/sdk/protocol';
import { Dice } from './dice.ts';
import type { Profile } from './profiles.ts';

/** Visitor of the site. */
export interface Visitor {
  readonly arrivesMs: number;
  readonly criteria: Criteria;
  /** Cohort, whose waits are compared with those of the others. */
  readonly cohort: string;
  /** Behaviour in their n-th search and the conversation that follows. The same whatever is decided about others. */
  mood(search: number): Mood;
}

export interface Mood {
  /** Time for which they wait before they give up. */
  readonly patienceMs: number;
  /** Time that their page takes to confirm a match; `null` for a page that is closed and never does. */
  readonly confirmsAfterMs: number | null;
  /** Time for which they stay in a conversation before they skip. */
  readonly staysMs: number;
  /** True if they search again afterwards. */
  readonly isGoingOn: boolean;
  /** Time for which they look at the end before that, if it was the peer who left. */
  readonly pausesMs: number;
}

/** Share of matches for which a page is already unresponsive: asleep, or closed without notice. */
const GONE_SHARE = 0.005;
/** Share of conversations that are skipped at once. */
const GLANCE_SHARE = 0.35;

/** Returns all visitors, in order of arrival. */
export function visitorsOf(profile: Profile, seed: string): readonly Visitor[] {
  return arrivalsOf(profile, new Dice(seed, profile.name, 'arrivals')).map((arrivesMs, n) => {
    const criteria = criteriaOf(profile, new Dice(seed, profile.name, n));
    return {
      arrivesMs,
      criteria,
      cohort: profile.cohortOf(criteria),
      mood: (search) => moodOf(profile, new Dice(seed, profile.name, n, search)),
    };
  });
}

function arrivalsOf({ arrivals }: Profile, dice: Dice): readonly number[] {
  switch (arrivals.kind) {
    case 'steady': {
      const times: number[] = [];
      const meanMs = 60_000 / arrivals.aMinute;
      for (let at = dice.exponential(meanMs); at < arrivals.minutes * 60_000; at += dice.exponential(meanMs))
        times.push(at);
      return times;
    }
    case 'bursts':
      return Array.from({ length: arrivals.bursts }, (_, burst) =>
        Array.from({ length: arrivals.visitors }, () => burst * arrivals.everyMs + dice.between(0, arrivals.withinMs)),
      )
        .flat()
        .sort((a, b) => a - b);
  }
}

function criteriaOf(profile: Profile, dice: Dice): Criteria {
  const page = dice.zipf(profile.pages);
  const interests = new Set<string>();
  const wanted = dice.between(0, profile.interestsMax);
  for (let n = 0; n < wanted; n++) interests.add(`interest ${dice.zipf(profile.interests) + 1}`);
  const languages = dice.pick(profile.languages);
  const group = dice.pick(profile.groups);
  return {
    topic: `/section-${(page % profile.sections) + 1}/page-${page + 1}`,
    interests: [...interests],
    languages,
    ...group,
  };
}

function moodOf(profile: Profile, dice: Dice): Mood {
  return {
    patienceMs: profile.patience.leastMs + dice.exponential(profile.patience.meanMs - profile.patience.leastMs),
    confirmsAfterMs: dice.isUnder(GONE_SHARE) ? null : dice.between(30, 200),
    staysMs: dice.isUnder(GLANCE_SHARE) ? dice.between(1_000, 6_000) : 6_000 + dice.exponential(profile.talkMeanMs),
    isGoingOn: dice.isUnder(profile.goingOnShare),
    pausesMs: dice.between(500, 4_000),
  };
}
