import type { Criteria, Shared } from '@passerby/sdk/protocol';

/** The hard rules between two visitors' criteria, both ways. Time never relaxes them. */
export function isCompatible(a: Criteria, b: Criteria): boolean {
  return doesSeek(a, b) && doesSeek(b, a);
}

function doesSeek(seeker: Criteria, other: Criteria): boolean {
  if (seeker.seeks === undefined || seeker.seeks.length === 0) return true;
  return other.is !== undefined && seeker.seeks.includes(other.is);
}

/** What the two have in common: the intersection, in the order of the one who waited longer. */
export function sharedBetween(a: Criteria, b: Criteria): Shared {
  const theirs = new Set(b.interests);
  return {
    interests: (a.interests ?? []).filter((interest) => theirs.has(interest)),
    isSameTopic: a.topic !== undefined && a.topic === b.topic,
  };
}
