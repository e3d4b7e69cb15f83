import { describe, expect, it } from 'vitest';
import { listLog } from '../../test/harness.ts';
import { logConsole } from './console-lines.ts';

function stage() {
  const log = listLog();
  const printed: Record<string, (...words: unknown[]) => void> = {};
  logConsole(log, printed);
  return { log, printed };
}

describe('output of libraries', () => {
  it.each([
    [
      'warn',
      'Skipping the ready check because INFO command fails: "NOPERM …"',
      { reason: 'NOPERM' },
      /may not run INFO/,
    ],
    ['warn', '[WARN] Redis server does not require a password, but a password was supplied.', {}, /no password/],
    ['warn', "[WARN] This Redis server's `default` user does not require a password, but …", {}, /no password/],
    ['error', '[ioredis] Unhandled error event:', {}, /a library prints/],
    ['log', { secret: 'kept' }, {}, /a library prints/],
  ])('by console.%s becomes a line of the log, without its text: %s', (method, words, fields, message) => {
    const { log, printed } = stage();
    printed[method]!(words, 'kept');
    expect(log.lines).toEqual([{ level: 'warn', fields, message: expect.stringMatching(message) }]);
    expect(JSON.stringify(log.lines)).not.toContain('kept');
  });
});
