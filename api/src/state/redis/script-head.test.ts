import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LEASED, libraryText, parseHead, readLua } from './script.ts';
import { SCRIPT_NAMES } from './scripts.ts';

/** Keys and arguments every script has without declaring them. */
const IMPLICIT = { keys: ['op', 'counters'], args: ['operation', 'skewMs'] };

const namesIn = (text: string, table: 'K' | 'A') =>
  [...text.matchAll(new RegExp(`\\b${table}\\.(\\w+)`, 'g'))].map(([, name]) => name!);
const withoutComments = (text: string) => text.replaceAll(/--.*$/gm, '');

/** Returns the text of each function of the library, by name. */
function functionsOf(library: string): ReadonlyMap<string, string> {
  const parts = withoutComments(library).split(/^(?=local function )/m);
  return new Map(
    parts
      .flatMap((part) => /^local function (\w+)/.exec(part)?.[1] ?? [])
      .map((name) => {
        const part = parts.find((text) => text.startsWith(`local function ${name}(`))!;
        return [name, part.replace(`local function ${name}`, 'function')];
      }),
  );
}

/** Returns the text of a script with all functions of the library that it can reach. */
function reachable(body: string, library: string): string {
  const functions = functionsOf(library);
  const reached = new Set<string>();
  const visit = (text: string): void => {
    for (const [name, part] of functions) {
      const isUsed = new RegExp(`(?<![.\\w])${name}\\s*\\(|[(,]\\s*${name}\\s*[,)]`).test(text);
      if (!isUsed || reached.has(name)) continue;
      reached.add(name);
      visit(part);
    }
  };
  visit(body);
  return [body, ...[...reached].map((name) => functions.get(name)!)].join('\n');
}

/** Returns the faults of a script's head as sentences; none for a correct one. */
function complaintsOf(name: string, text: string, library = libraryText()): readonly string[] {
  const head = parseHead(text, name);
  const body = withoutComments(text);
  const all = reachable(body, library);
  const tags = [...body.matchAll(/return \{\s*'(\w+)'/g)].map(([, tag]) => tag!);
  if (/return refused\(/.test(body)) tags.push('refused');
  const { keys, args, tags: leasedTags } = head.mode === 'leased' ? LEASED : { keys: [], args: [], tags: [] };
  const both = (what: string, declared: readonly string[], used: readonly string[], implicit: readonly string[]) => [
    ...declared.filter((one) => !used.includes(one)).map((one) => `${what} "${one}" is declared and not used`),
    ...[...new Set(used)]
      .filter((one) => !declared.includes(one) && !implicit.includes(one))
      .map((one) => `${what} "${one}" is used and not declared`),
    ...declared.filter((one, at) => declared.indexOf(one) !== at).map((one) => `${what} "${one}" is declared twice`),
  ];
  return [
    ...(head.purpose.trim() === '' ? ['PURPOSE is empty'] : []),
    ...(head.cost.trim() === '' ? ['COST is empty'] : []),
    ...both('key', head.keys, [...keys, ...namesIn(all, 'K')], IMPLICIT.keys),
    ...both('argument', head.args, [...args, ...namesIn(all, 'A')], IMPLICIT.args),
    ...both('tag', head.tags, [...leasedTags, ...tags], []),
    ...(head.mode === 'read' && /redis\.p?call\('(?:HSET|HSETNX|HDEL|HINCRBY|ZADD|ZREM|SET|DEL|LPUSH|LTRIM)'/.test(all)
      ? ['MODE is read, and it writes']
      : []),
  ];
}

describe('head of every script', () => {
  test('exists for every Lua file of the registry', () => {
    const folder = new URL('lua/', import.meta.url);
    const files = readdirSync(folder).filter((file) => file.endsWith('.lua'));
    expect(files.sort()).toEqual(SCRIPT_NAMES.map((name) => `${name}.lua`).sort());
  });

  test.each(SCRIPT_NAMES)('%s', (name) => {
    expect(complaintsOf(name, readLua(name))).toEqual([]);
  });
});

describe('a head that says something else is found out', () => {
  const LIBRARY = `
local function read(key) return redis.call('HGETALL', key) end
local function deep() return read(K.waits) end
local function shallow(limit) return deep(), A.limit end
local function compare(a, b) return a < b end
`;
  const script = (
    changes: Partial<Record<'PURPOSE' | 'MODE' | 'KEYS' | 'ARGV' | 'RETURNS' | 'COST', string>>,
    body: string,
  ) =>
    Object.entries({
      PURPOSE: 'is good',
      MODE: 'write',
      KEYS: 'sessions waits',
      ARGV: 'session limit',
      RETURNS: 'done | refused code',
      COST: 'O(1)',
      ...changes,
    })
      .map(([label, value]) => `-- ${label} ${value}`)
      .join('\n') + `\n${body}`;
  const BODY = `
if not read(K.sessions) then return refused('session_gone') end
shallow(A.session)
return { 'done' }`;

  test('a good one is not', () => {
    expect(complaintsOf('good', script({}, BODY), LIBRARY)).toEqual([]);
  });

  test.each([
    ['a key it never reads', { KEYS: 'sessions waits index' }, BODY, 'key "index" is declared and not used'],
    ['a key only the library reads, not declared', { KEYS: 'sessions' }, BODY, 'key "waits" is used and not declared'],
    ['a key it reads, not declared', {}, `${BODY}\nread(K.due)`, 'key "due" is used and not declared'],
    [
      'a key only a comment names',
      { KEYS: 'sessions waits blocks' },
      `${BODY}\n-- K.blocks`,
      'key "blocks" is declared and not used',
    ],
    ['a key declared twice', { KEYS: 'sessions waits waits' }, BODY, 'key "waits" is declared twice'],
    ['an argument it never uses', { ARGV: 'session limit fence' }, BODY, 'argument "fence" is declared and not used'],
    [
      'an argument only the library uses, not declared',
      { ARGV: 'session' },
      BODY,
      'argument "limit" is used and not declared',
    ],
    ['a tag it never returns', { RETURNS: 'done | held | refused code' }, BODY, 'tag "held" is declared and not used'],
    ['a tag it returns, not declared', { RETURNS: 'refused code' }, BODY, 'tag "done" is used and not declared'],
    ['a refusal, not declared', { RETURNS: 'done' }, BODY, 'tag "refused" is used and not declared'],
    ['being leased, without what a lease needs', { MODE: 'leased' }, BODY, 'key "sweeper" is used and not declared'],
    ['no purpose', { PURPOSE: '' }, BODY, 'PURPOSE is empty'],
    ['no cost', { COST: '' }, BODY, 'COST is empty'],
    [
      'reading only, and writes',
      { MODE: 'read' },
      `${BODY}\nredis.call('HSET', K.sessions, 'a', 'b')`,
      'MODE is read, and it writes',
    ],
  ])('%s', (_, changes, body, complaint) => {
    expect(complaintsOf('bad', script(changes, body), LIBRARY)).toContain(complaint);
  });

  test.each([
    ['a line is missing', script({}, BODY).replace('-- COST O(1)\n', ''), 'bad.lua: the head has no COST line'],
    ['a key is not in the registry', script({ KEYS: 'sessions nonsense' }, BODY), '"nonsense" is not in the registry'],
    ['the mode is neither', script({ MODE: 'both' }, BODY), 'MODE is read, write or leased'],
  ])('is refused if %s', (_, text, message) => {
    expect(() => complaintsOf('bad', text, LIBRARY)).toThrow(message);
  });

  test('includes functions that are passed as arguments', () => {
    const library = LIBRARY.replace('return a < b', 'return a < A.pivot');
    const text = script({ ARGV: 'session limit pivot' }, `${BODY}\ntable.sort({}, compare)`);
    expect(complaintsOf('good', text, library)).toEqual([]);
  });
});
