import { expect, test } from 'vitest';
import { ERRORS } from '../protocol/index.ts';
import { refusalIn } from './refusal.ts';

const overHttp = (body: string): unknown =>
  Object.assign(new Error('xhr poll error'), { context: { responseText: body } });

test('the data of a refused connection is the reason', () => {
  const data = { code: 'client_too_old', message: 'Load the current version.', retryAfterMs: 5 };
  expect(refusalIn(Object.assign(new Error('x'), { data }))).toEqual(data);
});

test('a problem document in the answer to a refused handshake is the reason', () => {
  const body = JSON.stringify({ type: 'about:blank', status: 403, title: 'Not here', code: 'origin_refused' });
  expect(refusalIn(overHttp(body))).toEqual({ code: 'origin_refused', message: 'Not here' });
});

test("Engine.IO's own form is the reason too, with the words of the table", () => {
  const body = JSON.stringify({ code: 4, message: 'origin_refused' });
  expect(refusalIn(overHttp(body))).toEqual({ code: 'origin_refused', message: ERRORS.origin_refused.message });
});

test('a code of a newer service is internal, so that it is tried again', () => {
  expect(refusalIn({ data: { code: 'brand_new', message: 'Surprise' } })).toEqual({
    code: 'internal',
    message: 'Surprise',
  });
});

test.each([
  ['an opaque failure', new Error('websocket error')],
  ['nothing', undefined],
  ['a page of some proxy', overHttp('<html>403</html>')],
  ["Engine.IO's other refusals", overHttp('{"code":1,"message":"Session ID unknown"}')],
  ['a name every object has', { data: { code: 'toString' } }],
])('%s has no reason', (_, failure) => {
  expect(refusalIn(failure)).toBeNull();
});
