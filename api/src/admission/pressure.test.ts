import { expect, test } from 'vitest';
import type { AddressHash, SiteId } from '../domain/ids.ts';
import { type PressureLevel, pressureOn } from './pressure.ts';

test.each<[string, number, number, boolean, PressureLevel]>([
  ['nothing is the matter', 0.24, 0.49, false, 0],
  ['the event loop is late', 0.25, 0, false, 1],
  ['half of the new sessions are used up', 0, 0.5, false, 1],
  ['the address says the same to many', 0, 0, true, 1],
  ['the event loop is very late', 0.5, 0, false, 2],
  ['most of the new sessions are used up', 0, 0.8, true, 2],
])('where %s', (_, delay, sessions, isSuspect, level) => {
  const signs = { delayShare: () => delay, usedShare: () => sessions, isSuspect: () => isSuspect };
  expect(pressureOn('site_a' as SiteId, ['a' as AddressHash], signs)).toBe(level);
});
