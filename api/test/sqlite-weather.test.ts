import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { SQLITE_FILE } from '../src/records/records.ts';
import { ServiceProcess } from '../../.config/test/service-process.ts';
import { tempFolder } from './temp-records.ts';

/** Time for which a change of readiness is waited for: many times the deadlines. */
const SOON = { timeout: 60_000, interval: 200 };

async function start() {
  const made = tempFolder();
  const folder = join(made.path, 'data');
  const service = await ServiceProcess.start({ DATA_DIR: folder });
  const readiness = async () => {
    const answer = await fetch(`${service.url}/readyz`);
    const { reasons } = (await answer.json()) as { readonly reasons: readonly string[] };
    return { status: answer.status, reasons };
  };
  return {
    folder,
    file: join(folder, SQLITE_FILE),
    service,
    isReady: () => vi.waitFor(async () => expect(await readiness()).toEqual({ status: 200, reasons: [] }), SOON),
    saysSo: (reason: string, code = 503) =>
      vi.waitFor(async () => {
        const { status, reasons } = await readiness();
        expect([status, reasons.includes(reason)]).toEqual([code, true]);
      }, SOON),
    /** Returns the number of times each line was logged. */
    lines: () => {
      const counts = new Map<string, number>();
      for (const line of service.output.split('\n').filter((text) => text.startsWith('{'))) {
        const { msg, reason } = JSON.parse(line) as { readonly msg: string; readonly reason?: string };
        const kind = `${msg} ${reason}`;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
      return Object.fromEntries(counts);
    },
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      made[Symbol.dispose]();
    },
  };
}

describe('service whose SQLite file', () => {
  it('is locked by another process reports it, and stays ready', async () => {
    await using the = await start();
    await the.isReady();
    const other = new DatabaseSync(the.file);
    other.exec('begin immediate');
    await the.saysSo('records_unwritable', 200);
    expect(the.lines()).toEqual({ 'the database failed SQLITE_BUSY': 1 });
    other.exec('rollback');
    other.close();
    await the.isReady();
    expect(the.lines()).toEqual({ 'the database failed SQLITE_BUSY': 1 });
  });

  it('is moved away reports it, and is ready again once it is back', async () => {
    await using the = await start();
    await the.isReady();
    renameSync(the.folder, `${the.folder}.aside`);
    await the.saysSo('records_stale');
    await the.saysSo('records_unwritable');
    renameSync(`${the.folder}.aside`, the.folder);
    await the.isReady();
    expect(the.lines()).toEqual({
      'the database failed FILE_GONE': 1,
      'the records of sites cannot be read FILE_GONE': 1,
    });
  });

  it('is deleted, or replaced by a copy, reports it permanently', async () => {
    await using the = await start();
    await the.isReady();
    cpSync(the.folder, `${the.folder}.copy`, { recursive: true });
    rmSync(the.folder, { recursive: true });
    await the.saysSo('records_stale');
    mkdirSync(the.folder);
    cpSync(join(`${the.folder}.copy`, SQLITE_FILE), the.file);
    await vi.waitFor(
      () => expect(Object.keys(the.lines())).toContain('the records of sites cannot be read FILE_REPLACED'),
      SOON,
    );
    await the.saysSo('records_unwritable');
    expect(Object.values(the.lines()).every((count) => count === 1)).toBe(true);
    expect(the.service.isRunning).toBe(true);
  });
});
