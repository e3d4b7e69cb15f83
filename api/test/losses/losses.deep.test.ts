import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Targets } from '../faults/targets.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { siteIdOf, TwoNodes } from '../history/two-nodes.ts';
import { loadScripts, standingScripts } from '../model/worlds.ts';
import { mutatedScripts } from '../model/mutants/redis-mutants.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { expectConsistent, expectServed, expectUnharmed, playLoss } from './crowd.ts';
import { areBlocksLostWith, deleteKey, KEY_NAMES } from './loss.ts';
import { LOSS_MUTANTS } from './loss-mutants.ts';
import { lossProperty } from './store-losses.ts';
import { evict, loadOlderSnapshot, promote } from './store-set-back.ts';

const FIRST_SEED = Number(process.env['PASSERBY_SEED'] || 601);
const SCENARIO = { visitors: 150, liveMs: 12_000 };

describe(`data loss of Redis under ${SCENARIO.visitors} visitors on two nodes`, () => {
  const seeds = KEY_NAMES.map((_, index) => FIRST_SEED + index);
  let server: RedisServer;
  let redis: Redis;
  let two: TwoNodes;
  beforeAll(async () => {
    server = await RedisServer.start(['--enable-debug-command', 'local']);
    redis = new Redis(server.url);
    two = await TwoNodes.start(server.url, [...seeds, 1, 2, 3, 4, 5]);
  }, 60_000);
  afterAll(async () => {
    redis?.disconnect();
    await two?.stop();
    await server?.stop();
  });

  it.each(KEY_NAMES.map((name, index) => ({ name, seed: seeds[index]! })))(
    'serves everybody again after $name was deleted (PASSERBY_SEED=$seed)',
    async ({ name, seed }) => {
      const outcome = await playLoss(two, { seed, ...SCENARIO }, () => deleteKey(redis, siteIdOf(seed), name));
      console.info(`${name}: ${outcome.conversations} conversations, all met somebody within ${outcome.servedMs} ms`);
      expectServed(outcome, { areBlocksLost: areBlocksLostWith(name) });
      await expectConsistent(redis, seed);
      expectUnharmed(two);
    },
  );

  it('serves everybody again after an older snapshot was loaded', async () => {
    const seed = 1;
    const outcome = await playLoss(two, { seed, ...SCENARIO }, () => loadOlderSnapshot(redis));
    console.info(`older snapshot: ${outcome.conversations} conversations, served within ${outcome.servedMs} ms`);
    expectServed(outcome, { areBlocksLost: true });
    await expectConsistent(redis, seed);
    expectUnharmed(two);
  });

  it('serves everybody again after all was deleted', async () => {
    const seed = 5;
    const outcome = await playLoss(two, { seed, ...SCENARIO }, async () => void (await redis.flushall()));
    console.info(`all deleted: ${outcome.conversations} conversations, all met somebody within ${outcome.servedMs} ms`);
    expectServed(outcome, { areBlocksLost: true });
    await expectConsistent(redis, seed);
    expectUnharmed(two);
  });

  it.each([
    { policy: 'allkeys-lru', seed: 2 },
    { policy: 'allkeys-random', seed: 3 },
    { policy: 'volatile-ttl', seed: 4 },
  ])('serves everybody again after an eviction under $policy', async ({ policy, seed }) => {
    let evicted: readonly string[] = [];
    const outcome = await playLoss(two, { seed, ...SCENARIO }, async () => void (evicted = await evict(redis, policy)));
    console.info(`${policy}: ${evicted.join(' ')} evicted, all met somebody within ${outcome.servedMs} ms`);
    expect(evicted.length).toBeGreaterThan(1);
    expectServed(outcome, { areBlocksLost: true });
    await expectConsistent(redis, seed);
  });
});

describe('promotion of a replica without the last changes', () => {
  const seed = FIRST_SEED + 100;
  let servers: readonly RedisServer[];
  let replica: Redis;
  let targets: Targets;
  let proxy: TcpProxy;
  let two: TwoNodes;
  beforeEach(async () => {
    servers = [await RedisServer.start(), await RedisServer.start()];
    const [master, second] = servers.map(({ port }) => port) as [number, number];
    replica = new Redis(servers[1]!.url);
    await replica.replicaof('127.0.0.1', master);
    await expect.poll(() => replica.info('replication'), { timeout: 20_000 }).toContain('master_link_status:up');
    targets = new Targets(master);
    proxy = await TcpProxy.start(targets);
    two = await TwoNodes.start(`redis://127.0.0.1:${proxy.port}`, [seed]);
    expect(second).not.toBe(master);
  }, 60_000);
  afterEach(async () => {
    replica?.disconnect();
    await two?.stop();
    await proxy?.stop();
    for (const server of servers ?? []) await server.stop();
  });

  it(`serves ${SCENARIO.visitors} visitors again`, async () => {
    const [from, to] = servers.map(({ port }) => port) as [number, number];
    const outcome = await playLoss(two, { seed, ...SCENARIO }, () => promote(replica, targets, { from, to }, proxy));
    console.info(`replica: ${outcome.conversations} conversations, all met somebody within ${outcome.servedMs} ms`);
    expectServed(outcome, { areBlocksLost: true });
    await expectConsistent(replica, seed);
    expect(two.nodes.map(({ isRunning }) => isRunning)).toEqual([true, true]);
  });
});

describe('test of losses', () => {
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

  it('passes 1,000 runs of the unmodified scripts', async () => {
    const scripts = standingScripts();
    await loadScripts(redis, scripts);
    await fc.assert(lossProperty(redis, scripts), { numRuns: 1_000 });
  });

  it.each(LOSS_MUTANTS.map((mutant) => ({ name: mutant.name, mutant })))('notices that $name', async ({ mutant }) => {
    const scripts = mutatedScripts(mutant);
    await loadScripts(redis, scripts);
    const run = { numRuns: 400, seed: 20_260_102, endOnFailure: true };
    const { failed } = await fc.check(lossProperty(redis, scripts), run);
    expect(failed).toBe(true);
  });
});
