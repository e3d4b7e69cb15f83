import { expect, test } from 'vitest';
import { ERRORS } from '../protocol/index.ts';
import { refusalIn } from './refusal.ts';

const overHttp = (body: string): unknown =>
  Object.assign(new Error('xhr poll error'), { context: { responseText: body } });

test('is read from the data of a refused connection', () => {
  const data = { code: 'client_too_old', message: 'Load the current version.', retryAfterMs: 5 };
  expect(refusalIn(Object.assign(new Error('x'), { data }))).toEqual(data);
});

test('is read from a problem document in the answer to a refused handshake', () => {
  const body = JSON.stringify({ type: 'about:blank', status: 403, title: 'Not here', code: 'origin_refused' });
  expect(refusalIn(overHttp(body))).toEqual({ code: 'origin_refused', message: 'Not here' });
});

test("is read from Engine.IO's own form too, with the message of the table", () => {
  const body = JSON.stringify({ code: 4, message: 'origin_refused' });
  expect(refusalIn(overHttp(body))).toEqual({ code: 'origin_refused', message: ERRORS.origin_refused.message });
});

test('is internal for a code of a newer service, so that it is retried', () => {
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
])('is missing for %s', (_, failure) => {
  expect(refusalIn(failure)).toBeNull();
});
