import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { tempFolder } from '../../test/temp-records.ts';
import type { SiteView } from '../sites/site-service.ts';
import { HELP } from './help.ts';
import { runCommand } from './run-command.ts';
import { COMMAND_NAMES } from './site-commands.ts';
import { readDuration } from './args.ts';

/** Creates a terminal for the test, with its own records. */
function terminal(env: NodeJS.ProcessEnv = {}) {
  const folder = tempFolder();
  const run = async (args: readonly string[], input = '') => {
    const said = { out: '', err: '' };
    const code = await runCommand(args, {
      env: { DATA_DIR: folder.path, ...env },
      stdin: Readable.from([input]),
      out: (text) => (said.out += text),
      err: (text) => (said.err += text),
    });
    return { code, ...said };
  };
  const json = async <T>(...args: string[]) => JSON.parse((await run([...args, '--json'])).out) as T;
  return { run, json, path: folder.path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

const add = ['site', 'add', 'My site', '--id', 'site_mine', '--origin', 'https://my.site'];

describe('command line', () => {
  test('creates a site, shows it and lists it', async () => {
    using the = terminal();
    const { code, err } = await the.run(add);
    expect([code, err]).toEqual([0, `DATA_DIR (${the.path}): created a new database.\n`]);
    expect((await the.run(['site', 'add', 'Another'])).err).toBe('');
    const [site] = await the.json<SiteView[]>('site', 'list');
    expect(site).toMatchObject({ id: 'site_mine', name: 'My site', origins: ['https://my.site'] });
    expect(await the.json('site', 'show', 'site_mine')).toEqual(site);
    expect((await the.run(['site', 'list'])).out).toContain('site_mine  enabled   My site  https://my.site\n');
  });

  test('the tag contains the public address', async () => {
    using the = terminal({ PUBLIC_URL: 'https://chat.my.site/' });
    expect((await the.run(['site', 'add', 'A'])).out).toContain('src="https://chat.my.site/widget.js"');
    const other = await the.run(['site', 'add', 'B', '--url', 'https://other.my.site']);
    expect(other.out).toContain('src="https://other.my.site/widget.js"');
    const wrong = await the.run(['site', 'add', 'C', '--url', 'chat.my.site']);
    expect(wrong).toMatchObject({ code: 1, out: '' });
    expect(await the.json<SiteView[]>('site', 'list')).toHaveLength(2);
  });

  test.each([
    ['http://localhost:3000', true],
    ['http://127.0.0.1', true],
    ['https://my.site', false],
  ])('a live key of a site for %s causes a warning: %j', async (origin, isWarned) => {
    using the = terminal();
    const warning = 'a live key needs one';
    const added = await the.run(['site', 'add', 'A', '--id', 'site_mine', '--origin', origin]);
    expect(added.out.includes(warning)).toBe(isWarned);
    expect(added.out).toContain(isWarned ? 'data-site="pk_test_' : 'data-site="pk_live_');
    const told = async (...args: string[]) => (await the.run(['site', 'key', ...args])).out.includes(warning);
    expect(await told('add', 'site_mine')).toBe(isWarned);
    expect(await told('rotate', 'site_mine')).toBe(isWarned);
    expect(await told('add', 'site_mine', '--mode', 'test')).toBe(false);
    expect(await told('add', 'site_mine', '--kind', 'secret')).toBe(false);
  });

  test('names a failing database by its folder', async () => {
    using the = terminal();
    await the.run(add);
    const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation((text) => {
      throw Object.assign(new Error(text), { errcode: 10 });
    });
    onTestFinished(() => prepare.mockRestore());
    expect((await the.run(['site', 'list'])).err).toBe(
      `DATA_DIR (${the.path}): its disk cannot be read or written (SQLITE_IOERR)\n`,
    );
  });

  test('renames, disables, enables, and changes origins', async () => {
    using the = terminal();
    await the.run(add);
    await the.run(['site', 'rename', 'site_mine', 'Ours']);
    await the.run(['site', 'disable', 'site_mine']);
    expect(await the.json('site', 'show', 'site_mine')).toMatchObject({ name: 'Ours', isDisabled: true });
    await the.run(['site', 'enable', 'site_mine']);
    expect(await the.json('site', 'show', 'site_mine')).toMatchObject({ isDisabled: false });
    await the.run(['site', 'origin', 'add', 'site_mine', 'https://*.my.site']);
    await the.run(['site', 'origin', 'remove', 'site_mine', 'https://my.site']);
    expect((await the.run(['site', 'origin', 'list', 'site_mine'])).out).toBe('https://*.my.site\n');
  });

  test('adds, rotates and revokes keys, and shows a secret one once', async () => {
    using the = terminal();
    await the.run(add);
    const added = await the.run(['site', 'key', 'add', 'site_mine', '--kind', 'secret', '--mode', 'test']);
    const [secret] = /sk_test_[\w-]{43}/.exec(added.out)!;
    const rotated = await the.json<{ id: string; text: string }>(
      ...['site', 'key', 'rotate', 'site_mine', '--overlap', '0'],
    );
    expect(rotated.text).toMatch(/^pk_live_/);
    await the.run(['site', 'key', 'revoke', rotated.id]);
    const { out } = await the.run(['site', 'key', 'list', 'site_mine']);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => line.split('  ').slice(1, 4).join(' ').replace(/ \d.*/, '')),
    ).toEqual([
      'publishable live ended',
      'publishable test good',
      'secret live good',
      'secret test good',
      'publishable live revoked',
    ]);
    expect(out).not.toContain(secret);
    expect(out).toContain(`${secret!.slice(0, 12)}…${secret!.slice(-4)}`);
  });

  test('prints and sets settings, from a file and from a pipe', async () => {
    using the = terminal();
    await the.run(add);
    const settings = await the.json<Record<string, unknown>>('site', 'policy', 'get', 'site_mine');
    const file = join(the.path, 'policy.json');
    writeFileSync(file, JSON.stringify({ ...settings, interests: ['maps'] }));
    expect((await the.run(['site', 'policy', 'set', 'site_mine', file])).code).toBe(0);
    expect(await the.json('site', 'policy', 'get', 'site_mine')).toEqual({ ...settings, interests: ['maps'] });
    expect((await the.run(['site', 'policy', 'set', 'site_mine', '-'], '{"hasLinks":false}')).code).toBe(0);
    expect(await the.json('site', 'policy', 'get', 'site_mine')).toEqual({ ...settings, hasLinks: false });
  });

  test.each([
    ['an unknown command', ['site', 'frob'], 'Unknown command "site frob"'],
    ['an unknown option', ['site', 'list', '--all'], "Unknown option '--all'"],
    ['a name that was not put into quotes', ['site', 'add', 'My', 'site'], '"site" is an unexpected argument'],
    ['no name', ['site', 'add'], 'the name of the site'],
    ['a site there is not', ['site', 'show', 'site_none'], 'Unknown site id'],
    ['a bad origin', ['site', 'add', 'X', '--origin', 'my.site'], '--origin: "my.site" is not an origin'],
    [
      'an origin without its scheme',
      ['site', 'add', 'X', '--origin', 'localhost:8080'],
      'begins with https:// or http://',
    ],
    ['a kind there is not', ['site', 'key', 'add', 'site_none', '--kind', 'public'], '--kind'],
    [
      'no length of time',
      ['site', 'key', 'rotate', 'site_none', '--overlap', 'long'],
      '--overlap "long" is not a duration',
    ],
    [
      'too long a time',
      ['site', 'key', 'rotate', 'site_none', '--overlap', '31d'],
      '--overlap 31d is too long: 30d at',
    ],
    [
      'a key in place of its id',
      ['site', 'key', 'revoke', 'pk_live_mine'],
      'Expected the id of a key, which begins with key_',
    ],
    ['no JSON', ['site', 'policy', 'set', 'site_none', '-'], '-: '],
    ['no file', ['site', 'policy', 'set', 'site_none', '/nowhere/policy.json'], 'no such file'],
  ])('%s is one plain line on stderr', async (_, args, message) => {
    using the = terminal();
    await the.run(add);
    const { code, out, err } = await the.run(args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  test('reports an unreachable database without its password', async () => {
    using the = terminal({ DATABASE_URL: 'postgres://passerby:hunter2@127.0.0.1:1/passerby' });
    const { code, err } = await the.run(['site', 'list']);
    expect(code).toBe(1);
    expect(err).toMatch(/^DATABASE_URL: [^\n]+ \(ECONNREFUSED\)\n$/);
    expect(err).not.toContain('hunter2');
  });

  describe('without a database', () => {
    const words = COMMAND_NAMES.filter((name) => name !== 'site add').map((name) => name.split(' '));
    test.each(words.map((name) => [name.join(' '), name] as const))('%s makes none and says so', async (_, name) => {
      using the = terminal();
      const { code, out, err } = await the.run([
        ...name,
        ...(name.at(-1) === 'list' && name.length === 2 ? [] : ['x']),
      ]);
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(/^DATA_DIR \([^\n]+\): there is no database in that folder yet; [^\n]+ \(NO_DATABASE\)\n$/);
      expect(err).toContain(the.path);
      expect(readdirSync(the.path)).toEqual([]);
    });
  });

  test.each([['site', 'list'], add])('%s %s creates none over the remains of one', async (...args) => {
    using the = terminal();
    writeFileSync(join(the.path, 'passerby.sqlite-wal'), 'left');
    const { code, out, err } = await the.run(args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^DATA_DIR \([^\n]+\): passerby\.sqlite is missing, [^\n]+ \(FILE_GONE\)\n$/);
    expect(readdirSync(the.path)).toEqual(['passerby.sqlite-wal']);
  });

  test('reports a created database even if the command then fails', async () => {
    using the = terminal();
    const { code, err } = await the.run(['site', 'add', 'My site', '--origin', 'nonsense']);
    expect(code).toBe(1);
    expect(err).toMatch(/^DATA_DIR [^\n]+ created a new database\.\n[^\n]*origin[^\n]*\n$/);
    expect((await the.run(add)).err).toBe('');
  });

  test('reports that nothing was changed, and why, if the database refused', async () => {
    using the = terminal();
    await the.run(add);
    using other = new DatabaseSync(join(the.path, 'passerby.sqlite'));
    other.exec('begin immediate');
    const { code, err } = await the.run(['site', 'rename', 'site_mine', 'Ours']);
    expect(code).toBe(1);
    expect(err).toMatch(/^DATA_DIR [^\n]+: another process is writing [^\n]+ \(SQLITE_BUSY\); nothing was changed\n$/);
    other.exec('rollback');
    expect(await the.json('site', 'show', 'site_mine')).toMatchObject({ name: 'My site' });
  });

  test('prints the help without touching the records', async () => {
    using the = terminal({ DATABASE_URL: 'not an address' });
    expect(await the.run(['--help'])).toEqual({ code: 0, out: HELP, err: '' });
    expect(await the.run(['site', 'add', '-h'])).toEqual({ code: 0, out: HELP, err: '' });
  });
});

test('docs/sites.md has every command and no other, and so has the help', () => {
  const page = readFileSync(new URL('../../../docs/sites.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `(site(?: [a-z]+)+)/gm)].map(([, words]) => words);
  expect(documented.sort()).toEqual([...COMMAND_NAMES].sort());
  for (const name of COMMAND_NAMES) expect(HELP).toMatch(new RegExp(`(  |, )${name.slice('site '.length)}\\b`));
});

test.each([
  ['0', 0],
  ['90s', 90_000],
  ['15m', 900_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
])('%s is %d milliseconds', (text, ms) => {
  expect(readDuration(text, '--overlap', 30 * 86_400_000)).toBe(ms);
});

test('a bug is reported by its name and place, without its message', async () => {
  using the = terminal();
  await the.run(['site', 'add', 'Shop', '--origin', 'https://shop.example']);
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(() => {
    throw new TypeError('canary');
  });
  onTestFinished(() => prepare.mockRestore());
  const { code, err } = await the.run(['site', 'list']);
  expect(code).toBe(1);
  expect(err).toMatch(/^This is a bug of Passerby: TypeError\n(?: +at .+\n)* +at .+records\/sqlite/);
  expect(err).not.toContain('canary');
});
