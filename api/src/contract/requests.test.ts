import { REQUEST_NAMES } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { REQUEST_SCHEMAS } from './requests.ts';

const conversationId = `c_${'x'.repeat(22)}`;
const requestId = 'request-1';

describe('request schemas', () => {
  test('exist for every request', () => {
    expect(Object.keys(REQUEST_SCHEMAS).sort()).toEqual([...REQUEST_NAMES].sort());
  });

  test('accept a find without criteria, and with all of them', () => {
    const find = REQUEST_SCHEMAS['match:find'];
    expect(find.safeParse({ requestId }).success).toBe(true);
    const full = { requestId, interests: ['jazz'], languages: ['en'], topic: '/a', is: 'a', seeks: ['b'] };
    expect(find.parse(full)).toEqual(full);
  });

  test('remove control characters from a report, except line breaks and tabs', () => {
    const report = REQUEST_SCHEMAS['conversation:report'];
    const messages = [
      { from: 'peer', text: 'a\0b' },
      { from: 'me', text: '\u0001' },
    ];
    expect(report.parse({ conversationId, reason: 'spam', comment: '\0a\tb\nc\u0085\r', messages })).toMatchObject({
      comment: 'a\tb\nc',
      messages: [{ text: 'ab' }, { text: '' }],
    });
  });

  test.each([
    ['an unknown key', 'match:find', { requestId, admin: true }],
    ['a key of the prototype', 'match:find', JSON.parse(`{"requestId":"${requestId}","__proto__":{"x":1}}`)],
    ['a missing id', 'match:find', {}],
    ['an id of the wrong form', 'match:find', { requestId: 'short' }],
    ['too many interests', 'match:find', { requestId, interests: Array(11).fill('x') }],
    ['an interest that is blank', 'match:find', { requestId, interests: ['  '] }],
    ['an interest that is too long', 'match:find', { requestId, interests: ['x'.repeat(41)] }],
    ['undefined where a key should be absent', 'match:find', { requestId, topic: undefined }],
    ['null', 'match:cancel', null],
    ['a list', 'match:cancel', []],
    ['a key where there is nothing to say', 'match:cancel', { why: 1 }],
    ['a conversation id of the wrong form', 'conversation:leave', { conversationId: 'c_1' }],
    ['a junk next', 'conversation:leave', { conversationId, next: {} }],
  ] as const)('refuse %s', (_, name, payload) => {
    expect(REQUEST_SCHEMAS[name].safeParse(payload).success).toBe(false);
  });
});
