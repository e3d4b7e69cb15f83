import { expect } from 'vitest';
import { conversationsIn, firstStartAfter, slowestAnswerMs } from '../invariants/event-log.ts';
import { checkInvariants } from '../invariants/invariants.ts';
import { playScenario, TwoNodes, type Scenario } from '../history/two-nodes.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { inflict, type Fault } from './faults.ts';
import { pause } from './patience.ts';
import { withinMs, type Profile } from './scenario.ts';
import { TcpProxy } from './tcp-proxy.ts';

/**
 * Maximum duration of a request, as its sender measures it: 1 s, and the wait for a turn if senders, nodes and Redis
 * share the cores of one machine. Milliseconds, by the number of visitors in a profile.
 */
const ANSWER_MAX_MS = { short: 1_000 + 1_000, deep: 1_000 + 5_000 } as const satisfies Record<Profile, number>;
/** Maximum time until matching resumes after Redis is back. Milliseconds. */
const RESUME_MAX_MS = 3_000;

/** Time at which the fault begins, after traffic has started. Milliseconds. */
const HARM_AFTER_MS = 1_000;

/** Two nodes that reach their Redis through a proxy. */
export class FaultyStage {
  readonly redis: RedisServer;
  readonly proxy: TcpProxy;
  readonly two: TwoNodes;

  private constructor(redis: RedisServer, proxy: TcpProxy, two: TwoNodes) {
    this.redis = redis;
    this.proxy = proxy;
    this.two = two;
  }

  static async start(seeds: readonly number[]): Promise<FaultyStage> {
    const redis = await RedisServer.start();
    const proxy = await TcpProxy.start(redis.port);
    try {
      return new FaultyStage(redis, proxy, await TwoNodes.start(`redis://127.0.0.1:${proxy.port}`, seeds));
    } catch (error) {
      await proxy.stop();
      await redis.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.two.stop();
    await this.proxy.stop();
    await this.redis.stop();
  }
}

/** Runs the scenario with a fault, and expects no violation. */
export async function expectNoViolation(
  stage: FaultyStage,
  fault: Fault,
  { profile, ...scenario }: Omit<Scenario, 'fault'> & { readonly profile: Profile },
): Promise<void> {
  const { seed } = scenario;
  let backAt = Number.POSITIVE_INFINITY;
  const logs = await playScenario(stage.two, {
    ...scenario,
    fault: async () => {
      await pause(HARM_AFTER_MS);
      await inflict(fault, stage.redis, stage.proxy);
      backAt = performance.now();
    },
  });
  const slowest = slowestAnswerMs(logs);
  const resumedMs = Math.min(...logs.map((log) => firstStartAfter(log, backAt) ?? Number.POSITIVE_INFINITY)) - backAt;
  console.info(
    `seed ${seed}, ${fault}: ${conversationsIn(logs)} conversations, slowest answer ${Math.round(slowest)} ms, matching again after ${Math.round(resumedMs)} ms`,
  );
  expect(checkInvariants(logs, { areCutsAllowed: true })).toEqual([]);
  expect([
    ...withinMs(profile, 'an answer', slowest, ANSWER_MAX_MS[profile]),
    ...withinMs(profile, 'matching again', resumedMs, RESUME_MAX_MS),
  ]).toEqual([]);
  expect(stage.two.nodes.map(({ isRunning }) => isRunning)).toEqual([true, true]);
}
