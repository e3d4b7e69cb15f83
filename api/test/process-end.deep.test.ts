import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RawVisitor } from './bounds/raw-visitor.ts';
import { TcpProxy } from './faults/tcp-proxy.ts';
import { ServiceProcess } from '../../.config/test/service-process.ts';
import { PostgresServer } from './servers/postgres-server.ts';
import { RedisServer } from './servers/redis-server.ts';

const DEMO = ['pk_test_demo', 'http://localhost:1'] as const;
/** Times that the documentation promises. Milliseconds. */
const PROMISED_MS = 10_000;

/** Starts to measure the delay of timers in an idle process on this machine. Returns the sum so far. */
function measureLag(): () => number {
  const STEP_MS = 20;
  let lateMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    lateMs += Math.max(0, now - last - STEP_MS);
    last = now;
  }, STEP_MS);
  onTestFinished(() => clearInterval(timer));
  return () => lateMs;
}

/** Drops all data, on new connections too. */
function keepSilent(proxy: TcpProxy): void {
  proxy.goSilent();
  const timer = setInterval(() => proxy.goSilent(), 1);
  onTestFinished(() => clearInterval(timer));
}

describe('shutdown of a process while a visitor does not close', () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()]);
  });
  afterAll(() => Promise.all([postgres?.stop(), redis?.stop()]));

  it.each(['nothing else', 'PostgreSQL', 'Redis', 'PostgreSQL and Redis'])(
    'exits within 10 s with 0 although this is silent too: %s',
    async (silent) => {
      await using toPostgres = await TcpProxy.start(postgres.port);
      await using toRedis = await TcpProxy.start(redis.port);
      const database = new URL(await postgres.database()).pathname.slice(1);
      const service = await ServiceProcess.start({
        DATABASE_URL: postgres.url(database, undefined, undefined, toPostgres.port),
        REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
      });
      onTestFinished(() => service.stop());
      await using visitor = await RawVisitor.arrive(service, ...DEMO);
      // All of the arrival is over: what Redis did not answer for would end the connection.
      await visitor.packet('site:presence');
      visitor.stopReading();
      if (silent.includes('PostgreSQL')) keepSilent(toPostgres);
      if (silent.includes('Redis')) keepSilent(toRedis);
      // What is asked from here on is not answered: the look for changes, and the rounds.
      if (silent !== 'nothing else') await new Promise((resolve) => setTimeout(resolve, 1_500));

      const lagMs = measureLag();
      const askedAt = performance.now();
      service.signal('SIGTERM');
      const ending = await service.ended;
      const tookMs = performance.now() - askedAt;
      expect(ending).toEqual({ code: 0, signal: null });
      expect(service.output).not.toContain('shutdown deadline passed');
      // It waited for the visitor, as long as it may.
      expect(tookMs).toBeGreaterThan(6_000);
      expect(tookMs - lagMs()).toBeLessThan(PROMISED_MS);
    },
  );
});
