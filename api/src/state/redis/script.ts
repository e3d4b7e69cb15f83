import type { SiteId } from '../../domain/ids.ts';
import { readFileSync } from 'node:fs';
import { cachedScript, type ScriptRunner } from './cached-script.ts';
import { ForeignAnswer } from './foreign-answer.ts';
import { type KeyName, keyOf, KEYS } from './keys.ts';
import { TYPICAL_WAIT } from '../survey.ts';

/** Head of a Lua file. */
export interface ScriptHead {
  readonly purpose: string;
  /** `leased` writes like `write`, but only for a node that holds the site's sweep lease or can take it. */
  readonly mode: 'read' | 'write' | 'leased';
  readonly keys: readonly KeyName[];
  readonly args: readonly string[];
  readonly tags: readonly string[];
  readonly cost: string;
}

/** Reply of a script: its tag and fields, the notices, and the site's revision after it. */
export interface ScriptReply {
  readonly tag: string;
  readonly fields: readonly unknown[];
  readonly notices: readonly (readonly unknown[])[];
  readonly revision: number;
}

/** Keys of every script: the reply of its operation, and the site's counters. */
const COMMON_KEYS = ['op', 'counters'] as const satisfies readonly KeyName[];
/** Arguments of every script: the operation's id, and the clock offset of tests. */
const COMMON_ARGS = ['operation', 'skewMs'] as const;
/**
 * Keys, arguments and tag for the lease check that every `leased` script makes before it writes, and declares in its
 * head.
 */
export const LEASED = { keys: ['sweeper'], args: ['node', 'sweepLeaseMs'], tags: ['held'] } as const;
const LEASE = [
  `local holder = redis.call('GET', K.sweeper)`,
  `if holder and holder ~= A.node then return { A.operation, 0, { 'held' }, {} } end`,
  `redis.call('SET', K.sweeper, A.node, 'PX', A.sweepLeaseMs)`,
];

/** Separator of the interests in a seat; no interest contains a control character. */
export const UNIT_SEPARATOR = '\u001f';

/** Values that the library and the rest of the service share. */
const CONSTANTS = [
  `local RECENT_WAITS_MAX = ${TYPICAL_WAIT.ofLast}`,
  `local UNIT_SEPARATOR = '\\${UNIT_SEPARATOR.charCodeAt(0)}'`,
];

const LIBRARY = ['stored-fields', 'records', 'decide', 'queue', 'conversations', 'repair'];

const folder = new URL('lua/', import.meta.url);
export const readLua = (name: string): string => readFileSync(new URL(`${name}.lua`, folder), 'utf8');

/** Returns the library shared by all scripts, in order of dependency. */
export const libraryText = (): string => LIBRARY.map((name) => readLua(`lib/${name}`)).join('\n');

/** Parses the head of a Lua file. Throws if a line is missing or names a key that is not in the registry. */
export function parseHead(text: string, name: string): ScriptHead {
  const line = (label: string): string => {
    const found = new RegExp(`^-- ${label}(?: +(.*))?$`, 'm').exec(text);
    if (found === null) throw new Error(`${name}.lua: the head has no ${label} line`);
    return found[1] ?? '';
  };
  const keys = line('KEYS').split(' ').filter(Boolean);
  const unknown = keys.find((key) => !Object.hasOwn(KEYS, key));
  if (unknown !== undefined) throw new Error(`${name}.lua: "${unknown}" is not in the registry of keys`);
  const mode = line('MODE');
  if (mode !== 'read' && mode !== 'write' && mode !== 'leased')
    throw new Error(`${name}.lua: MODE is read, write or leased`);
  return {
    purpose: line('PURPOSE'),
    mode,
    keys: keys as KeyName[],
    args: line('ARGV').split(' ').filter(Boolean),
    tags: line('RETURNS')
      .split(' | ')
      .map((variant) => variant.split(' ')[0]!),
    cost: line('COST'),
  };
}

/** Transition as a Lua script, called with named arguments. */
export interface Script {
  readonly name: string;
  readonly head: ScriptHead;
  readonly text: string;
  /** Runs the script. A retry with the same operation id gives the same reply and changes nothing. */
  run(runner: ScriptRunner, call: ScriptCall): Promise<ScriptReply>;
}

export interface ScriptCall {
  readonly site: SiteId;
  readonly operation: string;
  readonly skewMs: number;
  readonly args: Readonly<Record<string, string | number>>;
}

/** Builds the script of a Lua file: its named keys and arguments, the library, and the reply stored by operation id. */
export function defineScript(name: string, bodyText = readLua(name), library = libraryText()): Script {
  const head = parseHead(bodyText, name);
  const keyNames = [...COMMON_KEYS, ...head.keys];
  const argNames = [...COMMON_ARGS, ...head.args];
  const text = assemble(head, keyNames, argNames, library, bodyText);
  const runText = cachedScript(text);
  return {
    name,
    head,
    text,
    run: async (runner, { site, operation, skewMs, args }) => {
      const given: Readonly<Record<string, string | number>> = { ...args, operation, skewMs };
      const values = argNames.map((arg) => {
        const value = given[arg];
        if (value === undefined) throw new TypeError(`${name} needs the argument "${arg}"`);
        return value;
      });
      const raw = await runText(
        runner,
        keyNames.map((key) => keyOf(key, site, operation)),
        values,
      );
      return parseReply(raw, head, operation, name);
    },
  };
}

function assemble(
  head: ScriptHead,
  keys: readonly KeyName[],
  args: readonly string[],
  library: string,
  body: string,
): string {
  const table = (names: readonly string[], from: string) =>
    `{ ${names.map((name, index) => `${name} = ${from}[${index + 1}]`).join(', ')} }`;
  const kept = keys.filter((key) => key !== 'op' && key !== 'sweeper');
  const isWrite = head.mode !== 'read';
  return [
    `local K = ${table(keys, 'KEYS')}`,
    `local A = ${table(args, 'ARGV')}`,
    `local kept = redis.call('GET', K.op)`,
    `if kept then return cmsgpack.unpack(kept) end`,
    ...(head.mode === 'leased' ? LEASE : []),
    ...CONSTANTS,
    library,
    `local function transition()`,
    body,
    `end`,
    ...(isWrite ? ['raise_revision()'] : []),
    `local answer = transition()`,
    ...(isWrite ? ['write_revision()'] : []),
    ...(isWrite ? kept.map((key) => `redis.call('PEXPIRE', K.${key}, ${KEYS[key].ttlMs})`) : []),
    `local reply = { A.operation, revision, answer, notices }`,
    ...(isWrite ? [`redis.call('SET', K.op, cmsgpack.pack(reply), 'PX', ${KEYS.op.ttlMs})`] : []),
    `return reply`,
  ].join('\n');
}

function parseReply(raw: unknown, head: ScriptHead, operation: string, name: string): ScriptReply {
  const [echo, revision, answer, notices] = Array.isArray(raw) ? (raw as unknown[]) : [];
  if (echo !== operation) throw new ForeignAnswer(`${name}: the answer is of another operation`);
  if (!Array.isArray(answer) || !head.tags.includes(answer[0] as string)) {
    throw new Error(
      `${name}: an answer with the tag "${String((answer as unknown[] | undefined)?.[0])}" is not declared`,
    );
  }
  if (typeof revision !== 'number' || !Array.isArray(notices)) throw new Error(`${name}: a malformed answer`);
  const [tag, ...fields] = answer as [string, ...unknown[]];
  return { tag, fields, notices: notices as unknown[][], revision };
}
