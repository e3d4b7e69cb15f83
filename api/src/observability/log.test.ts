import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { createLog, errorFields, reasonOf, REPEAT_MS, type LogFields } from './log.ts';

/** Value that must not occur in the log, whichever field carries it. */
const CANARY = 'canary-4711';

function listening() {
  let text = '';
  const log = createLog('info', { write: (line) => void (text += line) });
  const lines = () => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]));
  return { log, lines, text: () => text };
}

test('a listed field is logged', () => {
  const { log, lines } = listening();
  const fields = {
    site: 'site_shop',
    requestId: 'req_abcdefghijklmnop',
    request: 'match:find',
    code: 'internal',
    count: 3,
  };
  log.warn(fields, 'something');
  expect(lines()).toMatchObject([{ level: 40, msg: 'something', ...fields }]);
});

test('S19 an unlisted field is left out, and so is a value of the wrong form', () => {
  const { log, lines, text } = listening();
  const smuggled = {
    text: CANARY,
    token: CANARY,
    err: new Error(CANARY),
    msg: CANARY,
    site: `the visitor said ${CANARY}`,
    requestId: CANARY,
    request: `GET /?token=${CANARY}`,
    code: '203.0.113.7',
    count: CANARY,
    error: {
      name: `Error ${CANARY}`,
      message: CANARY,
      stack: `Error: ${CANARY}\n    at ${CANARY} said so`,
      cause: CANARY,
    },
    toJSON: () => ({ CANARY }),
  } as unknown as LogFields;
  log.error(smuggled, 'something');
  expect(text()).not.toContain(CANARY);
  expect(text()).not.toContain('203.0.113.7');
  expect(lines()).toEqual([
    { level: 50, time: expect.any(Number), error: { name: 'Error', stack: '' }, msg: 'something' },
  ]);
});

test('an exception is logged by name and place, also in place of fields', () => {
  const { log, lines, text } = listening();
  const thrown = new RangeError(`first ${CANARY}\n    at second ${CANARY} (line)`);
  log.error({ error: errorFields(thrown) }, 'something');
  log.error(thrown as unknown as LogFields, 'something');
  expect(text()).not.toContain(CANARY);
  expect(lines()[0]).toMatchObject({ error: { name: 'RangeError', stack: expect.stringContaining('log.test.ts') } });
});

describe('repeated lines', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are written once a minute, then as a number', () => {
    const { log, lines } = listening();
    for (let i = 0; i < 1_000; i++) log.error({ reason: 'READONLY', requestId: `req_${i}` }, 'something');
    expect(lines()).toMatchObject([{ msg: 'something', reason: 'READONLY' }]);
    vi.advanceTimersByTime(REPEAT_MS);
    expect(lines()).toMatchObject([{}, { msg: 'something (repeated)', reason: 'READONLY', suppressed: 999 }]);
    log.error({ reason: 'READONLY' }, 'something');
    expect(lines()).toHaveLength(2);
    vi.advanceTimersByTime(REPEAT_MS);
    expect(lines()).toMatchObject([{}, {}, { suppressed: 1 }]);
  });

  it('are written at once again after a minute without one', () => {
    const { log, lines } = listening();
    log.error({}, 'something');
    vi.advanceTimersByTime(REPEAT_MS);
    log.error({}, 'something');
    expect(lines()).toHaveLength(2);
  });

  it('are distinguished by level, message, code, reason and error name', () => {
    const { log, lines } = listening();
    log.error({}, 'something');
    log.warn({}, 'something');
    log.error({}, 'something else');
    log.error({ code: 'internal' }, 'something');
    log.error({ reason: 'OOM' }, 'something');
    log.error({ error: errorFields(new RangeError()) }, 'something');
    expect(lines()).toHaveLength(6);
  });

  it('add no line if none was left out', () => {
    const { log, lines } = listening();
    log.warn({}, 'something');
    vi.advanceTimersByTime(REPEAT_MS);
    expect(lines()).toHaveLength(1);
  });
});

test('the reason is the code of an error, or the first word of a reply of Redis, and never its message', () => {
  expect(reasonOf(Object.assign(new Error(CANARY), { code: 'ECONNRESET' }))).toBe('ECONNRESET');
  expect(reasonOf(Object.assign(new Error(CANARY), { code: '57P01' }))).toBe('57P01');
  expect(reasonOf(new Error("READONLY You can't write against a read only replica."))).toBe('READONLY');
  expect(reasonOf(new Error(`Something ${CANARY}`))).toBeUndefined();
  expect(reasonOf(null)).toBeUndefined();
});
