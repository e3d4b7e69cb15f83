import { describe, expect, test } from 'vitest';
import { DEFAULT_MATCH_RULES } from '../matching/rules.ts';
import { DEFAULT_POLICY, DEFAULT_SETTINGS, readSettings, settings, writeSettings } from './settings.ts';

describe('settings', () => {
  test('have defaults', () => {
    expect(DEFAULT_SETTINGS).toEqual({
      ...DEFAULT_POLICY,
      match: DEFAULT_MATCH_RULES,
      isClaimsNeeded: false,
      proofOfWork: 'under_pressure',
    });
  });

  test('trim words, and keep given values', () => {
    const given = {
      interests: [' ja\0zz '],
      languages: ['en', 'pt-BR'],
      ageBands: ['16-17', '18+'],
      rules: { version: '2026-11', text: 'Be\n\tkind.' },
      history: 'reports',
      proofOfWork: 'always',
    };
    expect(settings.parse(given)).toMatchObject({ ...given, interests: ['jazz'] });
  });

  test.each([
    ['an unknown field', { intrests: [] }],
    ['too many interests', { interests: Array.from({ length: 31 }, (_, n) => `i${n}`) }],
    ['a long interest', { interests: ['x'.repeat(41)] }],
    ['an empty topic', { topics: [' '] }],
    ['a long topic', { topics: ['x'.repeat(201)] }],
    ['no language tag', { languages: ['english!'] }],
    ['an age band twice', { ageBands: ['18+', '18+'] }],
    ['seven age bands', { ageBands: ['1', '2', '3', '4', '5', '6', '7'] }],
    ['a long age band', { ageBands: ['x'.repeat(21)] }],
    ['an age band that could be a band and an interest', { ageBands: ['18+|jazz'] }],
    ['rules without a version', { rules: { text: 'Be kind.' } }],
    ['a version with a space', { rules: { version: 'of today', text: 'Be kind.' } }],
    ['endless rules', { rules: { version: '1', text: 'x'.repeat(4_001) } }],
    ['a history there is not', { history: 'all' }],
    ['a truth that is a word', { hasLinks: 'yes' }],
    ['pictures, which there are none of', { hasImages: true }],
    ['a direct connection, which there is none of', { isPeerToPeer: true }],
    ['endless patience', { inactivityMs: 24 * 3_600_000 + 1 }],
    ['a weight below zero', { match: { weights: { interest: -1, language: 0, topic: 0, waiting: 0 } } }],
    ['proof of work now and then', { proofOfWork: 'sometimes' }],
  ])('refuse %s', (_, given) => {
    expect(settings.safeParse(given).success).toBe(false);
  });
});

describe('settings in the records', () => {
  test('are read as they were written', () => {
    const given = settings.parse({ interests: ['jazz'], match: { scanMax: 50 }, isClaimsNeeded: true });
    expect(readSettings(writeSettings(given))).toEqual(given);
  });

  test('are the same text however their fields were ordered', () => {
    const [a, b] = [
      { interests: ['jazz'], hasLinks: false },
      { hasLinks: false, interests: ['jazz'] },
    ];
    expect(writeSettings(settings.parse(a))).toBe(writeSettings(settings.parse(b)));
  });

  test('of a newer version are read, except unknown fields', () => {
    expect(readSettings('{"hasLinks":false,"hasSmell":true}')).toEqual({ ...DEFAULT_SETTINGS, hasLinks: false });
  });
});
