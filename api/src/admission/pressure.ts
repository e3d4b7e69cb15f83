import type { AddressHashes, SiteId } from '../domain/ids.ts';

/** Level of pressure. 0: none. 1: signs of abuse. 2: the service is affected. */
export type PressureLevel = 0 | 1 | 2;

/**
 * Thresholds by level: the delay of the event loop as a share of that at which new sessions are shed, and the used
 * share of a site's quota of new sessions.
 */
const FROM: Readonly<Record<1 | 2, { readonly delay: number; readonly sessions: number }>> = {
  // Nobody notices a quarter, 50 ms by default, but an idle process has none; and a site seldom opens half of what it may.
  1: { delay: 0.25, sessions: 0.5 },
  2: { delay: 0.5, sessions: 0.8 },
};

export interface Signs {
  /** Delay of the event loop, as a share of that at which new sessions are shed. */
  readonly delayShare: () => number;
  /** Used share of a site's quota of new sessions, 0 to 1. */
  readonly usedShare: (site: SiteId) => number;
  /** Returns whether this address, or a network of it, sends the same text to many. */
  readonly isSuspect: (site: SiteId, address: AddressHashes) => boolean;
}

/** Returns the level of pressure for a visitor, which decides about their proof of work. */
export function pressureOn(site: SiteId, address: AddressHashes, signs: Signs): PressureLevel {
  const [delay, sessions] = [signs.delayShare(), signs.usedShare(site)];
  if (delay >= FROM[2].delay || sessions >= FROM[2].sessions) return 2;
  if (delay >= FROM[1].delay || sessions >= FROM[1].sessions || signs.isSuspect(site, address)) return 1;
  return 0;
}
