import { writeFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { format } from 'prettier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SCRIPTS } from '../../../src/state/redis/scripts.ts';
import { RedisServer } from '../../servers/redis-server.ts';
import { INVARIANTS, type Invariant } from '../ledger.ts';
import { firstFailure } from '../model.ts';
import { loadScripts, memoryWorld, redisWorld } from '../worlds.ts';
import { MEMORY_MUTANTS, Workshop } from './memory-mutants.ts';
import { checkThenAct, mutatedScripts, REDIS_MUTANTS, withoutKeptAnswers } from './redis-mutants.ts';

/** Number of runs, the same for every mutant, so that the table is the same every time. */
const RUN = { seed: 20_260_101, runs: 2_000 };
const TABLE = new URL('../../../../docs/reference/mutants.md', import.meta.url);

const caught: string[] = [];

/** Returns the invariant that a failure names; a store that throws is caught as well. */
function verdictOf(failure: Error): string {
  const name = /^(\w+) /.exec(failure.message)?.[1] ?? '';
  if (!Object.hasOwn(INVARIANTS, name)) return 'an error of the store';
  return /^[IL]\d/.test(name) ? `${name}: ${INVARIANTS[name as Invariant]}` : INVARIANTS[name as Invariant];
}

function note(store: string, name: string, failure: Error | null): void {
  expect(failure, `${name}: nothing noticed it`).not.toBeNull();
  caught.push(`| ${store} | ${name} | ${verdictOf(failure!)} |`);
}

describe('known-bad scripts are detected', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const MUTANTS: readonly (readonly [string, () => typeof SCRIPTS])[] = [
    ...REDIS_MUTANTS.map((mutant) => [mutant.name, () => mutatedScripts(mutant)] as const),
    ['a match is a check and then an act, in two round trips', checkThenAct],
    ['a request that is asked again is done again', withoutKeptAnswers],
  ];
  test.each(MUTANTS)('%s', { timeout: 300_000 }, async (name, make) => {
    const scripts = make();
    await loadScripts(redis, scripts);
    note('Redis', name, await firstFailure((areRepliesLost) => redisWorld(redis, scripts, areRepliesLost), RUN));
  });
});

describe('known-bad stores in memory are detected', () => {
  const workshop = new Workshop();
  afterAll(() => workshop[Symbol.dispose]());

  test.each(MEMORY_MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', async (name, mutant) => {
    const Store = await workshop.make(mutant);
    note('memory', name, await firstFailure(async () => memoryWorld(Store), RUN));
  });

  test('a copy without a mistake passes', async () => {
    const Store = await workshop.make({ name: 'none', changes: [] });
    expect(await firstFailure(async () => memoryWorld(Store), RUN)).toBeNull();
  });
});

afterAll(async () => {
  const head = [
    '# Known-bad stores, and what catches them',
    '',
    'Each row is a mistake put into the scripts or into the store in memory, and the rule with which the model suite',
    '(`api/test/model/`) first complains. Written by `npm run test:deep`.',
    '',
    '| store | mistake | caught by |',
    '| --- | --- | --- |',
  ];
  await writeFile(TABLE, await format([...head, ...caught, ''].join('\n'), { parser: 'markdown' }));
});
