import type { FindPayload, Policy } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../sites/settings.ts';
import { checkAgreement, hasAgreed, offered } from './policy-checks.ts';

const policy = (given: Partial<Policy> = {}): Policy => ({ ...DEFAULT_POLICY, ...given });
const RULES = { version: '2', text: 'Be kind.' };
const BANDS = ['13-17', '18+'];

describe('consent to everything a site requires', () => {
  test.each([
    ['nothing is asked', policy(), { rules: null, ageBand: null }, true],
    ['the rules are not agreed to', policy({ rules: RULES }), { rules: null, ageBand: null }, false],
    ['an older version is agreed to', policy({ rules: RULES }), { rules: '1', ageBand: null }, false],
    ['this version is agreed to', policy({ rules: RULES }), { rules: '2', ageBand: null }, true],
    ['no band is named', policy({ ageBands: BANDS }), { rules: null, ageBand: null }, false],
    ['a band of the site is named', policy({ ageBands: BANDS }), { rules: null, ageBand: '18+' }, true],
    ['the band is no longer one of the site', policy({ ageBands: BANDS }), { rules: null, ageBand: 'adult' }, false],
  ] as const)('%s', (_, asked, agreed, isIt) => {
    expect(hasAgreed(asked, agreed)).toBe(isIt);
  });

  test.each([
    ['rules of another version', { rules: '1' }],
    ['rules where there are none', { rules: '2' }, policy({ ageBands: BANDS })],
    ['a band the site does not have', { ageBand: 'adult' }],
    ['a band where nobody is asked', { ageBand: '18+' }, policy({ rules: RULES })],
  ] as const)('refuses %s', (_, agreed, asked = policy({ rules: RULES, ageBands: BANDS })) => {
    expect(() => checkAgreement(asked, agreed)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });
});

describe('criteria', () => {
  const find = (given: Partial<FindPayload>): FindPayload => ({ requestId: 'request-1' as never, ...given });

  test('are those of the visitor if the site offers everything', () => {
    const all = find({ interests: ['Go'], languages: ['pt'], topic: '/a', is: 'a', seeks: ['b'] });
    expect(offered(policy(), null, all)).toEqual(all);
  });

  test('are limited to those the site offers', () => {
    const site = policy({ isFreeInterests: false, interests: ['Jazz'], languages: ['en'], topics: ['trains'] });
    expect(offered(site, null, find({ interests: [' jazz', 'go'], languages: ['EN', 'pt'], topic: '/a' }))).toEqual(
      find({ interests: [' jazz'], languages: ['EN'] }),
    );
    expect(offered(site, null, find({ topic: 'trains' }))).toEqual(find({ topic: 'trains' }));
  });

  test('get the language of the claims, if the visitor names none', () => {
    expect(offered(policy(), 'de', find({}))).toEqual(find({ languages: ['de'] }));
    expect(offered(policy(), 'de', find({ languages: ['fr'] }))).toEqual(find({ languages: ['fr'] }));
  });
});
