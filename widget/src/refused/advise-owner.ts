import { ownerAdvice } from './refusals.ts';

/** Logs to the page's console what the site owner has to change. Once per reason, not at every attempt. */
export function adviseOwner(reason: string, site = ''): void {
  if (told.has(reason)) return;
  told.add(reason);
  const advice = reason === 'origin_refused' ? ownerAdvice(site, location.origin) : `Passerby: ${reason}`;
  // eslint-disable-next-line no-console -- the one place: it speaks to the site owner, whom no screen reaches
  console.warn(advice);
}

const told = new Set<string>();
