import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_MATCH_RULES } from '../../src/matching/rules.ts';
import { siteIdInMode } from '../../src/sites/site-modes.ts';
import { sitesFile } from '../../src/sites/sites-file.ts';
import type { SiteId } from '../../src/domain/ids.ts';
import { ORIGIN } from '../harness.ts';
import { ServiceProcess } from '../../../.config/test/service-process.ts';
import type { EventLog } from '../invariants/event-log.ts';
import { chanceFrom, Stranger } from './stranger.ts';

/** Default steps, in less time, so that a short run goes through all of them. */
const RULES = {
  ...DEFAULT_MATCH_RULES,
  expansions: DEFAULT_MATCH_RULES.expansions.map((step) => ({ ...step, afterMs: step.afterMs / 5 })),
};
/**
 * Time without an event after which the run has settled: longer than a step, a round and a pending match. Milliseconds.
 */
const QUIET_MS = 3_500;
/** Maximum time for a scenario to settle. Milliseconds. */
const REST_MAX_MS = 30_000;
/** Visitors who arrive at once: enough to be a crowd, few enough for a machine's queue of connections. */
const ARRIVALS_AT_ONCE = 50;

/** Two processes of the service on one Redis, and one site for each scenario. */
export class TwoNodes {
  readonly nodes: readonly ServiceProcess[];
  readonly #directory: string;

  private constructor(nodes: readonly ServiceProcess[], directory: string) {
    this.nodes = nodes;
    this.#directory = directory;
  }

  /** `seeds` are those of the scenarios to run; each has its own site. */
  static async start(redisUrl: string, seeds: readonly number[]): Promise<TwoNodes> {
    const directory = mkdtempSync(join(tmpdir(), 'passerby-history-'));
    const sites = seeds.map((seed) => ({ key: siteOf(seed), name: siteOf(seed), origins: [ORIGIN], match: RULES }));
    const file = join(directory, 'sites.json');
    writeFileSync(file, JSON.stringify({ sites }));
    const env = { REDIS_URL: redisUrl, SITES_FILE: file };
    const started = await Promise.allSettled([ServiceProcess.start(env), ServiceProcess.start(env)]);
    const nodes = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const two = new TwoNodes(nodes, directory);
    const failed = started.find((result) => result.status === 'rejected');
    if (failed === undefined) return two;
    await two.stop();
    throw failed.reason;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

const siteOf = (seed: number) => `pk_test_seed_${seed}`;

/** Site of the scenario in the store. */
export function siteIdOf(seed: number): SiteId {
  const entry = { key: siteOf(seed), name: siteOf(seed), origins: [ORIGIN] };
  return siteIdInMode(sitesFile.parse({ sites: [entry] }).sites[0]!.id, 'test');
}

export interface Scenario {
  readonly seed: number;
  readonly visitors: number;
  /** Time for which they act before they keep their state. Milliseconds. */
  readonly liveMs: number;
  /** Fault to inject meanwhile. */
  readonly fault?: () => Promise<void>;
}

/** Admits visitors over both nodes, has them join at once and act, and returns their logs once all has settled. */
export async function playScenario(two: TwoNodes, { seed, visitors, liveMs, fault }: Scenario): Promise<EventLog[]> {
  const strangers: Stranger[] = [];
  try {
    while (strangers.length < visitors) {
      const arriving = Array.from({ length: Math.min(ARRIVALS_AT_ONCE, visitors - strangers.length) }, (_, index) => {
        const visitor = strangers.length + index;
        const { url } = two.nodes[visitor % two.nodes.length]!;
        return new Stranger(visitor, url, siteOf(seed), chanceFrom(seed * 1_000_003 + visitor));
      });
      strangers.push(...arriving);
      await Promise.all(arriving.map((stranger) => stranger.arrive()));
    }
    const until = performance.now() + liveMs;
    await Promise.all([...strangers.map((stranger) => stranger.live(until)), fault?.()]);
    const restUntil = performance.now() + REST_MAX_MS;
    for (;;) {
      await Promise.all(strangers.map((stranger) => stranger.settle(restUntil)));
      const quietSince = Math.max(...strangers.map(({ lastAt }) => lastAt));
      const isQuiet = performance.now() - quietSince > QUIET_MS && strangers.every(({ rest }) => rest !== 'idle');
      if (isQuiet || performance.now() > restUntil) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return strangers.map(({ log }) => log);
  } finally {
    for (const stranger of strangers) stranger.leave();
  }
}

/** Returns the seeds of a run: the requested one, or as many as the profile has. */
export function seedsFor(count: number, first = 1): readonly number[] {
  const asked = process.env['PASSERBY_SEED'];
  return asked === undefined || asked === ''
    ? Array.from({ length: count }, (_, index) => first + index)
    : [Number(asked)];
}
