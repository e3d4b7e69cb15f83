import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseRedisUrl } from '../src/state/redis/redis-address.ts';
import { KEYS, PREFIX, storedNameOf, type KeyName } from '../src/state/redis/keys.ts';
import { aclCommands, aclRules, REDIS_PAGE } from './redis-doc.ts';

const redisFolder = path.join(import.meta.dirname, '../src/state/redis');
/** Commands that the service sends itself, beside those of its scripts. */
const SENT = ['evalsha', 'eval', 'publish', 'subscribe', 'ping', 'info'];

/** Returns the rows of the table whose head begins with this cell, without code marks. */
function table(firstHead: string): string[][] {
  const [, text] = new RegExp(`^\\| ${firstHead} .*\\n\\|.*\\n((?:\\|.*\\n)+)`, 'm').exec(REDIS_PAGE)!;
  return text!
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

describe('docs/redis.md', () => {
  test('has every key with its content and lifetime, and no other', () => {
    const inWords = (ms: number) => (ms % 86_400_000 === 0 ? `${ms / 86_400_000} day` : `${ms / 1_000} s`);
    expect(table('name')).toEqual(
      Object.entries(KEYS).map(([name, { holds, ttlMs }]) => [storedNameOf(name as KeyName), holds, inWords(ttlMs)]),
    );
  });

  test('grants its user the commands of the scripts and of the service, and nothing else', () => {
    const texts = [
      ...globSync('lua/**/*.lua', { cwd: redisFolder }),
      'script.ts',
      '../../rate-limiting/redis-counters.ts',
    ].map((file) => readFileSync(path.join(redisFolder, file), 'utf8'));
    const called = texts.flatMap((text) =>
      [...text.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, name]) => name!.toLowerCase()),
    );
    expect([...aclCommands()].sort()).toEqual([...new Set([...called, ...SENT])].sort());
    expect(aclRules()).toEqual(expect.arrayContaining([`~${PREFIX}*`, `&${PREFIX}*`, '-@all']));
  });

  test('shows valid forms of REDIS_URL, with and without optional parts', () => {
    const forms = table('form').map(([form]) => form!);
    const least = forms.map((form) => parseRedisUrl(form.replace(/\[[^\]]*\]/g, '')).kind);
    const most = forms.map(
      (form) => parseRedisUrl(form.replace(/[[\]]/g, '').replaceAll('port', '7000').replace('/db', '/1')).kind,
    );
    expect([least, most]).toEqual([
      ['single', 'sentinel', 'cluster'],
      ['single', 'sentinel', 'cluster'],
    ]);
  });

  test('links only to existing pages', () => {
    for (const [, target] of REDIS_PAGE.matchAll(/\]\(([\w./-]+)\)/g)) {
      expect(existsSync(path.join(import.meta.dirname, '../../docs', target!)), target).toBe(true);
    }
  });
});
