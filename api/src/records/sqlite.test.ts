import { chmodSync, copyFileSync, existsSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { listLog } from '../../test/harness.ts';
import { describeRecords } from '../../test/records-contract.ts';
import { tempFolder } from '../../test/temp-records.ts';
import type { SiteId } from '../domain/ids.ts';
import { openRecords, SQLITE_FILE } from './records.ts';

describeRecords('SQLite', async () => {
  const made = tempFolder();
  return {
    place: { kind: 'sqlite', folder: made.path },
    [Symbol.asyncDispose]: () => Promise.resolve(made[Symbol.dispose]()),
  };
});

test('creates the given folder, for this user only', async () => {
  using made = tempFolder();
  const path = join(made.path, 'a/b');
  await using records = await openRecords({ kind: 'sqlite', folder: path });
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(records.kind).toBe('sqlite');
});

test('waits for another process that writes, without blocking the event loop', async () => {
  using made = tempFolder();
  await using records = await openRecords({ kind: 'sqlite', folder: made.path });
  const other = new DatabaseSync(join(made.path, SQLITE_FILE));
  other.exec('begin immediate');
  let isAdded = false;
  const adding = records.audit
    .add({ at: 1, actor: 'cli', action: 'site.add', site: null, subject: null })
    .then(() => (isAdded = true));
  // Were the loop held up, this timer could not fire, and the other connection never finish.
  await new Promise<void>((resolve) => setTimeout(resolve, 30));
  expect(isAdded).toBe(false);
  other.exec('commit');
  other.close();
  await adding;
  expect((await records.audit.list({ max: 1 })).items).toHaveLength(1);
});

const SHOP = { id: 'site_shop' as SiteId, name: 'Shop', createdAt: 1, origins: [], policy: '{}' };

describe('the files of SQLite', () => {
  const modeOf = (path: string) => statSync(path).mode & 0o777;

  test('are for this user only, whatever the umask and the mode they had', async () => {
    using made = tempFolder();
    const before = process.umask(0);
    try {
      const folder = join(made.path, 'data');
      for (let start = 1; start <= 2; start++) {
        const records = await openRecords({ kind: 'sqlite', folder });
        await records.sites.list();
        expect(modeOf(folder)).toBe(0o700);
        const files = readdirSync(folder).map((name) => join(folder, name));
        expect(files.length).toBe(3);
        for (const file of files) expect(modeOf(file), file).toBe(0o600);
        // As an earlier version left them.
        for (const file of files) chmodSync(file, 0o666);
        await records.close();
      }
    } finally {
      process.umask(before);
    }
  });

  test('are private in an existing folder that others can read, which is logged', async () => {
    using made = tempFolder();
    chmodSync(made.path, 0o755);
    writeFileSync(join(made.path, SQLITE_FILE), '', { mode: 0o644 });
    const log = listLog();
    await using _records = await openRecords({ kind: 'sqlite', folder: made.path }, undefined, { log });
    expect(modeOf(join(made.path, SQLITE_FILE))).toBe(0o600);
    expect(modeOf(made.path)).toBe(0o755);
    expect(log.lines).toEqual([
      { level: 'warn', fields: {}, message: 'the folder of DATA_DIR is open to other users of this machine' },
    ]);
  });

  test.each([
    ['taken away', 'FILE_GONE', () => undefined],
    ['replaced', 'FILE_REPLACED', (aside: string, file: string) => copyFileSync(aside, file)],
  ])('are neither read nor written while they are %s', async (_, reason, harm) => {
    using made = tempFolder();
    const file = join(made.path, SQLITE_FILE);
    const aside = join(made.path, 'aside');
    const log = listLog();
    await using records = await openRecords({ kind: 'sqlite', folder: made.path }, undefined, { log });
    await records.sites.add(SHOP);
    renameSync(file, aside);
    harm(aside, file);
    for (const work of [
      () => records.revision(),
      () => records.sites.set(SHOP.id, { name: 'Lost' }),
      () => records.change(({ sites }) => sites.set(SHOP.id, { name: 'Lost' })),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'unavailable', reason });
    expect(existsSync(file)).toBe(reason === 'FILE_REPLACED');
    expect(log.lines).toContainEqual({ level: 'error', fields: { reason }, message: 'the database failed' });
    renameSync(aside, file);
    expect(await records.sites.get(SHOP.id)).toMatchObject({ name: 'Shop' });
    await records.sites.set(SHOP.id, { name: 'Back' });
    expect(await records.sites.get(SHOP.id)).toMatchObject({ name: 'Back' });
  });
});

describe('a SQLite file that is missing', () => {
  test.each(['-wal', '-shm', '-journal'])('is not created anew beside its %s', async (suffix) => {
    using made = tempFolder();
    writeFileSync(join(made.path, `${SQLITE_FILE}${suffix}`), '');
    await expect(openRecords({ kind: 'sqlite', folder: made.path })).rejects.toThrow(
      /^DATA_DIR \(.+\): passerby\.sqlite is missing, but its .+ \(FILE_GONE\)$/,
    );
    expect(readdirSync(made.path)).toEqual([`${SQLITE_FILE}${suffix}`]);
  });

  test('has all writes once it is back, despite attempts to open it meanwhile', async () => {
    using made = tempFolder();
    const file = join(made.path, SQLITE_FILE);
    const place = { kind: 'sqlite', folder: made.path } as const;
    await using records = await openRecords(place);
    await records.sites.add(SHOP);
    renameSync(file, `${file}.aside`);
    await expect(openRecords(place)).rejects.toThrow('FILE_GONE');
    renameSync(`${file}.aside`, file);
    await using again = await openRecords(place);
    expect(await again.sites.list()).toHaveLength(1);
    expect(await records.sites.list()).toHaveLength(1);
  });
});

describe('a SQLite file that cannot be written', () => {
  test('since its disk is full refuses with the reason, keeps its data, and stays readable', async () => {
    using made = tempFolder();
    const place = { kind: 'sqlite', folder: made.path } as const;
    const log = listLog();
    const full = { bounds: { pagesMax: 1 }, log };
    await expect(openRecords(place, undefined, full)).rejects.toThrow(
      `DATA_DIR (${made.path}): its disk is full (SQLITE_FULL)`,
    );
    await (await openRecords(place)).close();
    await using records = await openRecords(place, undefined, full);
    await records.sites.add(SHOP);
    const large = 'x'.repeat(100_000);
    for (const work of [
      () => records.sites.setPolicy(SHOP.id, large),
      () =>
        records.change(async ({ sites }) => {
          await sites.set(SHOP.id, { name: 'Lost' });
          await sites.setPolicy(SHOP.id, large);
        }),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'unavailable', reason: 'SQLITE_FULL' });
    expect(log.lines).toContainEqual({
      level: 'error',
      fields: { reason: 'SQLITE_FULL' },
      message: 'the database failed',
    });
    expect(await records.sites.get(SHOP.id)).toMatchObject({ name: 'Shop', policy: '{}' });
    await records.sites.set(SHOP.id, { name: 'New' });
    expect((await records.changedSince(null)).sites).toMatchObject([{ name: 'New' }]);
  });

  test('since another process writes for too long refuses, and stays readable', async () => {
    using made = tempFolder();
    await using records = await openRecords({ kind: 'sqlite', folder: made.path }, undefined, {
      bounds: { lockMs: 50 },
    });
    const other = new DatabaseSync(join(made.path, SQLITE_FILE));
    other.exec('begin immediate');
    await expect(records.sites.add(SHOP)).rejects.toMatchObject({ code: 'unavailable', reason: 'SQLITE_BUSY' });
    expect((await records.changedSince(null)).sites).toEqual([]);
    other.exec('commit');
    other.close();
    await records.sites.add(SHOP);
    expect(await records.sites.list()).toHaveLength(1);
  });

  test('while another process migrates it waits with a line in the log, and not for ever', async () => {
    using made = tempFolder();
    const place = { kind: 'sqlite', folder: made.path } as const;
    const other = new DatabaseSync(join(made.path, SQLITE_FILE));
    other.exec('pragma journal_mode = wal');
    other.exec('begin immediate');
    const log = listLog();
    const options = { log, bounds: { lockMs: 10, migrationPauseMs: 10, migrationWaitMs: 100 } };
    await expect(openRecords(place, undefined, options)).rejects.toThrow(
      /^DATA_DIR \(.+\): another process .+ \(MIGRATION_WAIT\)$/,
    );
    expect(log.lines[0]).toEqual({
      level: 'warn',
      fields: { reason: 'SQLITE_BUSY' },
      message: 'waiting for another process to bring the tables up to date',
    });
    const patient = openRecords(place, undefined, {
      ...options,
      bounds: { ...options.bounds, migrationWaitMs: 60_000 },
    });
    other.exec('commit');
    other.close();
    await using records = await patient;
    expect(await records.sites.list()).toEqual([]);
  });

  test.each([
    ['something else', 'no database at all, but long enough to be looked at as one', 'SQLITE_NOTADB'],
    ['not ours', null, 'SQLITE_ERROR'],
  ])('since it is %s refuses to start', async (_, text, reason) => {
    using made = tempFolder();
    const file = join(made.path, SQLITE_FILE);
    if (text === null) {
      const other = new DatabaseSync(file);
      other.exec('create table sites (a)');
      other.close();
    } else writeFileSync(file, text.repeat(20));
    await expect(openRecords({ kind: 'sqlite', folder: made.path })).rejects.toThrow(
      new RegExp(`^DATA_DIR \\(.+\\): the file of the database .+ \\(${reason}\\)$`),
    );
  });
});

describe('a probe of SQLite', () => {
  test('rejects while another process writes, and delays nobody else', async () => {
    using made = tempFolder();
    await using records = await openRecords({ kind: 'sqlite', folder: made.path }, undefined, {
      bounds: { lockMs: 200 },
    });
    await records.probe();
    const other = new DatabaseSync(join(made.path, SQLITE_FILE));
    other.exec('begin immediate');
    let isOver = false;
    const probing = records.probe().finally(() => (isOver = true));
    await records.revision();
    expect(await records.sites.list()).toEqual([]);
    expect(isOver).toBe(false);
    await expect(probing).rejects.toMatchObject({ reason: 'SQLITE_BUSY' });
    other.exec('rollback');
    other.close();
    await records.probe();
  });

  test('rejects while there is no room, and leaves nothing behind', async () => {
    using made = tempFolder();
    const place = { kind: 'sqlite', folder: made.path } as const;
    const before = await openRecords(place);
    await before.sites.add({ ...SHOP, policy: 'x'.repeat(100_000) });
    const known = await before.changedSince(null);
    await before.close();
    const log = listLog();
    await using records = await openRecords(place, undefined, { log, bounds: { pagesMax: 1 } });
    await expect(records.probe()).rejects.toMatchObject({ reason: 'SQLITE_FULL' });
    // Not that there is nothing to roll back any more.
    expect(log.lines).toEqual([{ level: 'error', fields: { reason: 'SQLITE_FULL' }, message: 'the database failed' }]);
    await records.sites.setPolicy(SHOP.id, '{}');
    await records.probe();
    await records.probe();
    expect((await records.changedSince(known.revision)).isWhole).toBe(false);
  });

  test('rejects while the file is gone', async () => {
    using made = tempFolder();
    await using records = await openRecords({ kind: 'sqlite', folder: made.path });
    const file = join(made.path, SQLITE_FILE);
    renameSync(file, `${file}.aside`);
    await expect(records.probe()).rejects.toMatchObject({ reason: 'FILE_GONE' });
    renameSync(`${file}.aside`, file);
    await records.probe();
  });
});
