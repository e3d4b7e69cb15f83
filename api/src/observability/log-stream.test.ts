import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { logStream } from './log-stream.ts';

/** Stream whose reader consumes what was written when `read` is called. */
class SlowReader extends EventEmitter {
  readonly lines: string[] = [];
  writableLength = 0;

  write(line: string): boolean {
    this.lines.push(line);
    this.writableLength += Buffer.byteLength(line);
    return this.writableLength < 16;
  }

  read(): void {
    this.writableLength = 0;
  }
}

const LINE = 'ä'.repeat(9) + '\n';

describe('log stream', () => {
  it('is bounded for a slow reader, and reports the number of dropped lines', () => {
    const reader = new SlowReader();
    const stream = logStream(reader, 60);
    for (let line = 0; line < 10; line++) stream.write(LINE);
    expect(reader.lines).toEqual([LINE, LINE, LINE]);
    reader.read();
    stream.write('last\n');
    expect(JSON.parse(reader.lines[3]!)).toMatchObject({ level: 40, msg: 'log lines dropped', count: 7 });
    expect(reader.lines.slice(4)).toEqual(['last\n']);
  });

  it('drops nothing while it is read', () => {
    const reader = new SlowReader();
    const stream = logStream(reader, 60);
    for (let line = 0; line < 10; line++) {
      stream.write(LINE);
      reader.read();
    }
    expect(reader.lines).toEqual(Array.from({ length: 10 }, () => LINE));
  });

  it('handles the error of a closed reader', () => {
    const reader = new SlowReader();
    logStream(reader);
    // An emitter throws an error that nobody hears.
    expect(reader.emit('error', Object.assign(new Error(), { code: 'EPIPE' }))).toBe(true);
  });
});
