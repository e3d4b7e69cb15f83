import type { App, ResourceCounts } from '../../src/app.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { FREE, SHOP, siteOf, startTestApp } from '../harness.ts';

export interface NodesOptions {
  /** Address of Redis; without one the state is in memory, and there is one node. */
  readonly redisUrl?: string;
  readonly count?: number;
  /** Milliseconds between two checks for due work. */
  readonly roundMs: number;
}

/** Nodes of one service, whose visitors may meet at once, repeatedly. */
export class Nodes {
  readonly apps: readonly App[];

  private constructor(apps: readonly App[]) {
    this.apps = apps;
  }

  static async start({ redisUrl, count = 1, roundMs }: NodesOptions): Promise<Nodes> {
    const address = redisUrl === undefined ? undefined : parseRedisUrl(redisUrl);
    const config = { HOST: '127.0.0.1', PORT: 0, REDIS_URL: address };
    const siteList = [siteOf(SHOP.key, undefined, {}, FREE)];
    const starting = Array.from({ length: count }, () => startTestApp({ config, siteList, roundMs }));
    return new Nodes(await Promise.all(starting));
  }

  /** Returns the node of the nth visitor: in turn. */
  of(nth: number): App {
    return this.apps[nth % this.apps.length]!;
  }

  /** Returns the number of entries that all nodes hold for visitors. */
  held(what: keyof ResourceCounts): number {
    return this.apps.reduce((sum, app) => sum + app.held()[what], 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.apps.map((app) => app.stop()));
  }
}
