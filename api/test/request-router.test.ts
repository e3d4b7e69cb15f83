import { REQUEST_NAMES, type RequestName } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { assertTalking, listLog, pairOf, requestId, startTestApp, Visitor } from './harness.ts';

/** Payloads that match no request. */
const JUNK: readonly (readonly [string, unknown[]])[] = [
  ['nothing', []],
  ['null', [null]],
  ['a number', [7]],
  ['a string of 60,000 characters', ['x'.repeat(60_000)]],
  ['a list', [[]]],
  ['an unknown key', [{ junk: true }]],
  ['a key of the prototype', [JSON.parse('{"__proto__":{"isAdmin":true}}')]],
  ['deep nesting', [JSON.parse('['.repeat(5_000) + ']'.repeat(5_000))]],
  ['two payloads', [{}, {}]],
];

const VALID: { readonly [Name in RequestName]: unknown } = {
  'match:find': { requestId: requestId() },
  'match:cancel': {},
  'conversation:leave': { conversationId: `c_${'x'.repeat(22)}` },
  'conversation:block': { conversationId: `c_${'x'.repeat(22)}` },
  'conversation:report': { conversationId: `c_${'x'.repeat(22)}`, reason: 'spam' },
  'session:agree': {},
  'session:challenge': {},
  'session:prove': { solution: 'x' },
  'session:check': {},
  'session:close': {},
};

describe.each(REQUEST_NAMES)('%s', (name) => {
  test('S8 answers a junk payload with bad_request, and a healthy pair keeps talking', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using rough = await Visitor.arrive(app);
    for (const [what, args] of JUNK) {
      expect(await rough.send(name, ...args), what).toMatchObject({ ok: false, error: { code: 'bad_request' } });
    }
    await assertTalking(pair, 1);
  });

  test('is dropped and counted without an acknowledgement', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using rough = await Visitor.arrive(app);
    for (const args of [[], [VALID[name]], ['junk'], [null]]) rough.socket.emit(name, ...args);
    await assertTalking(pair, 1);
    expect(await rough.send('match:cancel', {})).toMatchObject({ ok: true });
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'request_without_ack' })).toBe(4);
  });

  test('answers internal if the handler throws, without the cause', async () => {
    const log = listLog();
    const secret = 'what the visitor said';
    const handlers = { [name]: () => Promise.reject(new Error(secret)) };
    await using app = await startTestApp({ log, handlers });
    await using visitor = await Visitor.arrive(app);
    const reply = await visitor.send(name, VALID[name]);
    expect(reply).toMatchObject({ ok: false, error: { code: 'internal', retryAfterMs: 1_000 } });
    expect(JSON.stringify([reply, log.lines])).not.toContain(secret);
    expect(log.lines).toMatchObject([{ level: 'error', fields: { request: name, code: 'internal' } }]);
  });
});

describe('events that are not requests', () => {
  test('an unknown name is answered bad_request, or counted without an acknowledgement', async () => {
    await using app = await startTestApp();
    await using visitor = await Visitor.arrive(app);
    expect(await visitor.send('admin:shutdown', {})).toMatchObject({ ok: false, error: { code: 'bad_request' } });
    visitor.socket.emit('admin:shutdown');
    expect(await visitor.send('match:cancel', {})).toMatchObject({ ok: true });
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' })).toBe(2);
  });

  test('binary packets close their connection, and no other', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using rough = await Visitor.arrive(app);
    const closed = new Promise((resolve) => rough.socket.once('disconnect', resolve));
    rough.socket.emit('conversation:frame', { body: Buffer.alloc(100) });
    await closed;
    await assertTalking(pair, 1);
  });

  test('a packet beyond the limit closes its connection, and no other', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using rough = await Visitor.arrive(app);
    const closed = new Promise((resolve) => rough.socket.once('disconnect', resolve));
    rough.socket.emit('match:find', 'x'.repeat(70_000));
    await closed;
    await assertTalking(pair, 1);
  });
});
