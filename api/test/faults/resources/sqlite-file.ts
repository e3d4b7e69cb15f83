import { readFileSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pause } from '../patience.ts';
import type { Disturbance, DisturbedResource, Extent } from './disturbance.ts';

const TIMES_GONE = 3;

/** File of the embedded database, and the actions of other processes on it. */
export class SqliteFile implements DisturbedResource {
  readonly name = 'the SQLite file';
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async disturb(disturbance: Disturbance, { lastsMs }: Extent, whileDisturbed: () => Promise<void>): Promise<void> {
    switch (disturbance) {
      case 'reset':
        return this.#whileReplaced(() => unlinkSync(this.#path), whileDisturbed);
      case 'half-closed':
        // Others may read and not write.
        return this.#whileLocked('begin immediate', lastsMs, whileDisturbed);
      case 'silent':
        return this.#whileLocked('pragma locking_mode = exclusive; begin exclusive', lastsMs, whileDisturbed);
      case 'slow':
        for (let times = 0; times < lastsMs / SHORT_LOCK_MS; times++)
          await this.#whileLocked('begin immediate', SHORT_LOCK_MS, times === 0 ? whileDisturbed : idle);
        return;
      case 'failing midway':
        return this.#whileReplaced(() => truncateSync(this.#path, 100), whileDisturbed);
      case 'gone and back':
        for (let times = 1; times <= TIMES_GONE; times++) {
          renameSync(this.#path, `${this.#path}.away`);
          await whileDisturbed();
          await pause(lastsMs);
          renameSync(`${this.#path}.away`, this.#path);
        }
    }
  }

  async #whileLocked(statement: string, ms: number, whileDisturbed: () => Promise<void>): Promise<void> {
    const other = new DatabaseSync(this.#path, { timeout: 5_000 });
    try {
      other.exec(statement);
      await whileDisturbed();
      await pause(ms);
    } finally {
      other.close();
    }
  }

  /** Damages the file and restores its content, as from a copy. */
  async #whileReplaced(harm: () => void, whileDisturbed: () => Promise<void>): Promise<void> {
    const content = readFileSync(this.#path);
    harm();
    await whileDisturbed();
    // A log of changes belongs to the file it was written beside.
    for (const ending of ['-wal', '-shm']) rmSync(`${this.#path}${ending}`, { force: true });
    writeFileSync(this.#path, content, { mode: 0o600 });
  }
}

const SHORT_LOCK_MS = 50;
const idle = async () => undefined;
