import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GAP, waitingGap } from './distance.ts';

const waits = fc.integer({ min: 0, max: 3_600_000 });

it('starts far apart', () => expect(waitingGap(0)).toBe(GAP.waitingFarthest));

it('treats a clock that was set back as the start of the wait', () => {
  expect(waitingGap(-5_000)).toBe(GAP.waitingFarthest);
});

it('moves the discs closer during the wait, and never apart again', () => {
  fc.assert(
    fc.property(waits, waits, (one, other) => {
      const [sooner, later] = [Math.min(one, other), Math.max(one, other)];
      expect(waitingGap(later)).toBeLessThanOrEqual(waitingGap(sooner));
    }),
  );
});

it('keeps the discs apart before a match', () => {
  fc.assert(
    fc.property(waits, (waited) => {
      expect(waitingGap(waited)).toBeGreaterThan(1);
    }),
  );
});
