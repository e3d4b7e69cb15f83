import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { describeRecords } from '../../test/records-contract.ts';
import { tempFolder } from '../../test/temp-records.ts';
import { openRecords, SQLITE_FILE } from './records.ts';

describeRecords('SQLite', async () => {
  const made = tempFolder();
  return {
    place: { kind: 'sqlite', folder: made.path },
    [Symbol.asyncDispose]: () => Promise.resolve(made[Symbol.dispose]()),
  };
});

test('makes the folder it is told, for this user only', async () => {
  using made = tempFolder();
  const path = join(made.path, 'a/b');
  await using records = await openRecords({ kind: 'sqlite', folder: path });
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(records.kind).toBe('sqlite');
});

test('waits for another process that writes, without holding up the event loop', async () => {
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
