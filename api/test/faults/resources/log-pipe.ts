import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A pipe for the log of a process, whose reader does what readers of logs do when they fail. */
export class LogPipe implements Disposable {
  /** Where the process writes. */
  readonly writer: number;
  readonly #folder: string;
  #reader: number | null;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'passerby-log-'));
    const path = join(this.#folder, 'log');
    execFileSync('mkfifo', [path]);
    this.#reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    // Of its own, since the process is to wait where it writes to a full pipe, as it does outside tests.
    this.writer = openSync(path, constants.O_WRONLY);
  }

  /** Fills it to the brim, as behind a reader that has stopped. */
  fill(): void {
    const chunk = Buffer.alloc(1_024, '\n');
    for (let written = 0; written < PIPE_MAX_BYTES; written += chunk.length) {
      try {
        writeSync(this.#reader!, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
        throw error;
      }
    }
    throw new Error('the pipe takes more than a pipe can hold');
  }

  /** Reads all there is, and answers it without the filling. */
  read(): string {
    const chunk = Buffer.alloc(PIPE_MAX_BYTES);
    try {
      return chunk.subarray(0, readSync(this.#reader!, chunk)).toString().replace(/^\n+/, '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
      throw error;
    }
  }

  /** The reader goes: from here on each write fails with EPIPE. */
  breakOff(): void {
    closeSync(this.#reader!);
    this.#reader = null;
  }

  [Symbol.dispose](): void {
    if (this.#reader !== null) this.breakOff();
    closeSync(this.writer);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** More than any system's pipe holds unless told otherwise. */
const PIPE_MAX_BYTES = 4 * 1_024 * 1_024;
