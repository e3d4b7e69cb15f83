import { expect, test } from 'vitest';
import type { AddressHash, SiteId } from '../domain/ids.ts';
import { type PressureLevel, pressureOn } from './pressure.ts';

test.each<[string, number, number, boolean, PressureLevel]>([
  ['nothing is the matter', 49, 0.49, false, 0],
  ['the event loop is late', 50, 0, false, 1],
  ['half of the new sessions are used up', 0, 0.5, false, 1],
  ['the address says the same to many', 0, 0, true, 1],
  ['the event loop is very late', 100, 0, false, 2],
  ['most of the new sessions are used up', 0, 0.8, true, 2],
])('where %s', (_, delayMs, share, isSuspect, level) => {
  const signs = { delayMs: () => delayMs, usedShare: () => share, isSuspect: () => isSuspect };
  expect(pressureOn('site_a' as SiteId, ['a' as AddressHash], signs)).toBe(level);
});
