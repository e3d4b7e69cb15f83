import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../temp-records.ts';
import { expectNoCanary, putThroughEverything } from './everything.ts';

test('S19 messages, tokens, secret keys and addresses are in no log, metric, error, Redis or SQLite file', async () => {
  using folder = tempFolder();
  const remains = await putThroughEverything({ DATA_DIR: folder.path }, () => {
    // The journal too: what was deleted may still stand there.
    const files = readdirSync(folder.path).map((file) => readFileSync(join(folder.path, file), 'latin1'));
    return Promise.resolve({ records: files.join('\n') });
  });
  expectNoCanary(remains);
});

test('S19 a stored canary is found', () => {
  const canaries = { heard: 'canary-heard' };
  const kept = [`said canary-heard`, Buffer.from('canary-heard').toString('base64')];
  for (const text of kept) {
    expect(() => expectNoCanary({ canaries, places: { records: text }, found: {} })).toThrow('heard in records');
  }
});
