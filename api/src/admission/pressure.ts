import type { AddressHashes, SiteId } from '../domain/ids.ts';

/** 0: none. 1: somebody may be at it. 2: the service suffers. */
export type PressureLevel = 0 | 1 | 2;

/** From which delay of the event loop, in milliseconds, and from which share of a site's new sessions on. */
const FROM: Readonly<Record<1 | 2, { readonly delayMs: number; readonly share: number }>> = {
  // Nobody notices 50 ms, but an idle process has none; and a site seldom opens half of what it may.
  1: { delayMs: 50, share: 0.5 },
  // Halfway to where new visitors are turned away.
  2: { delayMs: 100, share: 0.8 },
};

export interface Signs {
  /** Delay of the event loop, milliseconds. */
  readonly delayMs: () => number;
  /** How much of the sessions a site may open is used up, 0 to 1. */
  readonly usedShare: (site: SiteId) => number;
  /** Whether this address, or a network it is in, says the same to many. */
  readonly isSuspect: (site: SiteId, address: AddressHashes) => boolean;
}

/** How much reason there is to ask this visitor for a proof of work. */
export function pressureOn(site: SiteId, address: AddressHashes, signs: Signs): PressureLevel {
  const [delayMs, share] = [signs.delayMs(), signs.usedShare(site)];
  if (delayMs >= FROM[2].delayMs || share >= FROM[2].share) return 2;
  if (delayMs >= FROM[1].delayMs || share >= FROM[1].share || signs.isSuspect(site, address)) return 1;
  return 0;
}
