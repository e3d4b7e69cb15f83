import { describe, expect, it } from 'vitest';
import { faultsInLog } from './log-lines.ts';

const line = (time: number, more: object = {}) => JSON.stringify({ level: 50, time, msg: 'round failed', ...more });

describe('faultsInLog', () => {
  it('accepts one line a kind and minute, and lines of different kinds at once', () => {
    const lines = [line(0), line(60_000), line(0, { reason: 'OOM' }), line(0, { error: { name: 'RangeError' } })];
    expect(faultsInLog(['Passerby is at http://localhost:1', ...lines, ''].join('\n'))).toEqual([]);
  });

  it('reports two lines of a kind within a minute', () => {
    expect(faultsInLog([line(0), line(30_000)].join('\n'))).toEqual([`twice within a minute: ${line(30_000)}`]);
  });

  it.each(['Error: read ECONNRESET', '    at TCP.onStreamRead', '{"level":50}', '7'])(
    'reports %s, which did not come through the log',
    (text) => expect(faultsInLog(text)).toEqual([`outside the log: ${text}`]),
  );
});
