import type { Readiness, StoreFault } from '@passerby/sdk/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { assertTalking, FREE, listLog, pairOf, SHOP, siteOf, startTestApp } from '../harness.ts';
import { pause } from './patience.ts';
import { Restless } from './restless.ts';
import { onEach, setUser, startRig, TOPOLOGIES, type Rig } from './weather-rigs.ts';

/** Time after the end of a fault within which everybody is served again. Milliseconds. */
const SERVED_MAX_MS = 10_000;
/** Time for which recovery is waited for, to report by how much the deadline was missed. */
const PATIENCE = { timeout: 30_000, interval: 50 };
/**
 * Duration of faults that do not end by themselves: longer than the deadline of a request, and than a silent connection
 * is kept. Milliseconds.
 */
const HARM_MS = 3_000;
/** Delay each way that still permits answers in time. Milliseconds. */
const SLOW_MS = 100;
/** Number of keys to load, and the time each takes, so that loading takes as long as other faults. */
const LOADED = { keys: 3_000, microsecondsEach: 1_000 } as const;

interface Harm {
  readonly name: string;
  /**
   * Codes of which `/readyz` names at least one meanwhile; empty for faults that may be over before they are noticed.
   */
  readonly faults: readonly StoreFault[];
  /** Injects the fault and resolves to the function that ends it. */
  inflict(rig: Rig): Promise<() => Promise<unknown>>;
}

const over = () => Promise.resolve();

const HARMS: readonly Harm[] = [
  { name: 'is moved', faults: [], inflict: async (rig) => (await rig.move(), over) },
  { name: 'fails over and has lost all', faults: [], inflict: async (rig) => (await rig.lose(), over) },
  { name: 'is frozen', faults: ['TIMEOUT', 'NO_MASTER', 'CLUSTERDOWN'], inflict: (rig) => rig.freeze() },
  {
    name: 'is slow',
    faults: [],
    inflict: async ({ proxies }) => {
      for (const proxy of proxies) proxy.delay(SLOW_MS);
      return async () => proxies.forEach((proxy) => proxy.calm());
    },
  },
  {
    name: 'is full',
    faults: ['OOM'],
    inflict: async (rig) => {
      await onEach(rig, (redis) => redis.config('SET', 'maxmemory', '1'));
      return () => onEach(rig, (redis) => redis.config('SET', 'maxmemory', '0'));
    },
  },
  {
    name: 'refuses the password',
    faults: ['WRONGPASS'],
    inflict: async (rig) => {
      await setUser(rig, 'resetpass', '>wrong');
      return () => setUser(rig, 'resetpass', '>right');
    },
  },
  {
    name: 'grants too little',
    faults: ['NOPERM'],
    inflict: async (rig) => {
      await setUser(rig, '-@write', '-eval', '-evalsha');
      return () => setUser(rig, '+@all');
    },
  },
  {
    name: 'loads its data',
    faults: ['LOADING', 'TIMEOUT', 'CLUSTERDOWN', 'CLOSED', 'ECONNRESET', 'NO_MASTER'],
    inflict: async (rig) => {
      await onEach(rig, async (redis) => {
        await redis.config('SET', 'key-load-delay', LOADED.microsecondsEach);
        await redis.config('SET', 'loading-process-events-interval-bytes', 1_024);
        // A replica that follows is not to be written to.
        const [role] = (await redis.call('ROLE')) as [string];
        if (role === 'master') await redis.call('DEBUG', 'POPULATE', LOADED.keys, 'filler', 100);
      });
      const loading = onEach(rig, (redis) => redis.call('DEBUG', 'RELOAD'));
      return async () => {
        await loading;
        await onEach(rig, (redis) => redis.config('SET', 'key-load-delay', 0));
      };
    },
  },
  {
    name: 'is half-open',
    faults: [],
    inflict: async ({ proxies }) => {
      for (const proxy of proxies) proxy.goSilent();
      return over;
    },
  },
];

describe.each(TOPOLOGIES)('Redis of the kind “%s” that', (topology) => {
  let rig: Rig;
  let apps: readonly App[];
  const log = listLog();
  const start = () =>
    startTestApp({
      config: { REDIS_URL: parseRedisUrl(rig.url) },
      siteList: [siteOf(SHOP.key, undefined, {}, FREE)],
      roundMs: 100,
      log,
    });
  beforeAll(async () => {
    rig = await startRig(topology);
    apps = [await start(), await start()];
  }, 120_000);
  afterAll(async () => {
    for (const app of apps ?? []) await app.stop();
    await rig?.stop();
  });

  const standingOf = async ({ url }: App) => (await (await fetch(`${url}/readyz`)).json()) as Readiness;

  /** Watches the faults that a node reports, until it is stopped. */
  function watch() {
    const named = new Set<string>();
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        for (const app of apps) for (const fault of (await standingOf(app)).storeFaults ?? []) named.add(fault);
        await pause(50);
      }
    })();
    return { named, stop: () => ((isOver = true), watching) };
  }

  test.each(HARMS)(
    '$name serves everybody again, after the reason was reported',
    { timeout: 120_000 },
    async (harm) => {
      const crowd = new Restless(apps, 16);
      const served = () => crowd.unserved(before);
      let before: readonly number[] = crowd.searches;
      await expect.poll(served, PATIENCE).toEqual([]);
      log.lines.length = 0;
      const watched = watch();

      const end = await harm.inflict(rig);
      // One that starts meanwhile does, or says what is wrong.
      const newcomer = start().then(
        (app) => app.stop(),
        (error: Error) => error.message,
      );
      await pause(HARM_MS);
      await end();
      const healedAt = performance.now();

      before = crowd.searches;
      await expect.poll(served, PATIENCE).toEqual([]);
      const servedMs = Math.round(performance.now() - healedAt);
      expect(servedMs).toBeLessThanOrEqual(SERVED_MAX_MS);
      for (const app of apps) await expect.poll(() => standingOf(app), PATIENCE).toMatchObject({ status: 'ready' });
      await watched.stop();
      await crowd.stop();
      expect(crowd.violations).toEqual([]);

      const refusedStart = await newcomer;
      if (refusedStart !== undefined) expect(refusedStart).toContain('REDIS_URL');
      const named = [...watched.named];
      if (harm.faults.length > 0) {
        expect(harm.faults.filter((fault) => named.includes(fault))).not.toEqual([]);
        const logged = new Set(log.lines.map(({ fields }) => fields.reason));
        expect(harm.faults.filter((fault) => logged.has(fault))).not.toEqual([]);
      }
      await using pair = await pairOf(apps[0]!);
      await assertTalking(pair, 1);
      console.info(
        `${topology} that ${harm.name}: served after ${servedMs} ms; named ${named.join(', ') || 'nothing'}`,
      );
    },
  );
});
