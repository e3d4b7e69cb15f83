import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Pipe for the log of a process, whose reader can fail in the ways of real readers. */
export class LogPipe implements Disposable {
  /** Descriptor that the process writes to. */
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

  /** Fills it completely, as behind a reader that has stopped. */
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

  /** Reads everything, and returns it without the filling. */
  read(): string {
    const chunk = Buffer.alloc(PIPE_MAX_BYTES);
    try {
      return chunk.subarray(0, readSync(this.#reader!, chunk)).toString().replace(/^\n+/, '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
      throw error;
    }
  }

  /** Closes the reading end: further writes fail with EPIPE. */
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

/** Larger than the default size of any system's pipe. */
const PIPE_MAX_BYTES = 4 * 1_024 * 1_024;
