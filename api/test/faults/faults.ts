import { Redis } from 'ioredis';
import type { RedisServer } from '../servers/redis-server.ts';
import { pause } from './patience.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** Faults during joins, skips, cancellations and blocks. */
export const FAULTS = [
  'lost replies',
  'desynchronised replies',
  'script flush',
  'client kill',
  'half-open',
  'stopped Redis',
  'client pause',
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Default time for which Redis is stopped, or pauses its clients: longer than the deadline of a request. Milliseconds.
 */
const STANDSTILL_MS = 1_500;

/** Injects the fault and resolves when Redis is reachable again. */
export async function inflict(
  fault: Fault,
  redis: RedisServer,
  proxy: TcpProxy,
  standstillMs = STANDSTILL_MS,
): Promise<void> {
  switch (fault) {
    case 'lost replies':
      for (const ms of [60, 250, 900]) {
        await proxy.loseReplies(ms);
        await pause(500);
      }
      return;
    case 'desynchronised replies':
      await proxy.loseReplies(60, { isBroken: false });
      return;
    case 'half-open':
      return proxy.goSilent();
    case 'stopped Redis':
      redis.signal('SIGSTOP');
      await pause(standstillMs);
      redis.signal('SIGCONT');
      return;
    case 'client pause': {
      const admin = new Redis(redis.url);
      await admin.call('CLIENT', 'PAUSE', String(standstillMs), 'ALL');
      admin.disconnect();
      return pause(standstillMs);
    }
    case 'script flush':
    case 'client kill': {
      const admin = new Redis(redis.url);
      try {
        for (let round = 0; round < 5; round++) {
          if (fault === 'script flush') await admin.script('FLUSH');
          else await admin.call('CLIENT', 'KILL', 'TYPE', round === 2 ? 'pubsub' : 'normal', 'SKIPME', 'yes');
          await pause(300);
        }
      } finally {
        admin.disconnect();
      }
    }
  }
}
