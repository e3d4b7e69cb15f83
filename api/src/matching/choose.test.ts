import { describe, expect, test } from 'vitest';
import { bySeniority, choose, type History, type Waiter } from './choose.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from './rules.ts';
import { ticketFrom } from './ticket.ts';
import type { Criteria } from '@passerby/sdk/protocol';

const NOW = 1_000_000;
let count = 0;
interface Named extends Waiter {
  readonly name: string;
  readonly history: History;
}
const waiter = (name: string, criteria: Criteria = {}, ago = 0, history: Partial<History> = {}): Named => ({
  name,
  ticket: ticketFrom({ requestId: name as never, ...criteria }),
  since: NOW - ago,
  seq: ++count,
  history: { isBlocked: false, isRepeat: false, ...history },
});
const chosen = (seed: Named, candidates: readonly Named[], rules: MatchRules = DEFAULT_MATCH_RULES) =>
  choose(seed, candidates, rules, NOW, ({ history }) => history)?.name ?? 'nobody';

describe('choice of a candidate', () => {
  test('is nobody without candidates', () => {
    expect(chosen(waiter('seed'), [])).toBe('nobody');
  });

  test('is never a blocked visitor, not even as the only one after an hour', () => {
    expect(chosen(waiter('seed', {}, 3_600_000), [waiter('blocked', {}, 3_600_000, { isBlocked: true })])).toBe(
      'nobody',
    );
  });

  test('never violates a hard rule, however near', () => {
    const seed = waiter('seed', { seeks: ['x'], interests: ['jazz'] }, 3_600_000);
    expect(chosen(seed, [waiter('not sought', { interests: ['jazz'] })])).toBe('nobody');
  });

  test('prefers somebody new to somebody met recently, even if the latter is nearer and has waited longer', () => {
    const seed = waiter('seed', { interests: ['jazz'] }, 6_000);
    const known = waiter('known', { interests: ['jazz'] }, 50_000, { isRepeat: true });
    expect(chosen(seed, [known, waiter('new', { interests: ['go'] })])).toBe('new');
    expect(chosen(seed, [known])).toBe('known');
  });

  test('is the nearest candidate', () => {
    const seed = waiter('seed', { interests: ['a', 'b'] });
    expect(chosen(seed, [waiter('half', { interests: ['a', 'x'] }), waiter('whole', { interests: ['a', 'b'] })])).toBe(
      'whole',
    );
  });

  test('is the longest waiting of equally near ones, whatever their order', () => {
    const weights = { ...DEFAULT_MATCH_RULES.weights, waiting: 0 };
    const [old, young] = [waiter('old', {}, 500), waiter('young', {}, 100)];
    for (const candidates of [
      [old, young],
      [young, old],
    ]) {
      expect(chosen(waiter('seed'), candidates, { ...DEFAULT_MATCH_RULES, weights })).toBe('old');
    }
  });

  test('is the first of those who came in the same millisecond', () => {
    const [first, second] = [waiter('first'), waiter('second')];
    expect(chosen(waiter('seed'), [second, first])).toBe('first');
    expect([second, first].sort(bySeniority)).toEqual([first, second]);
  });

  test('judges the pair by the step of the longer waiting one', () => {
    const far = (ago: number) => waiter('far', { topic: '/b' }, ago);
    expect(chosen(waiter('seed', { topic: '/a' }, 0), [far(2_999)])).toBe('nobody');
    expect(chosen(waiter('seed', { topic: '/a' }, 0), [far(3_000)])).toBe('far');
    expect(chosen(waiter('seed', { topic: '/a' }, 3_000), [far(0)])).toBe('far');
  });
});
