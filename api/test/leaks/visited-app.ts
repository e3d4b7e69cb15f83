import { TIMES } from '@passerby/sdk/protocol';
import { expect } from 'vitest';
import type { App } from '../../src/app.ts';
import { MemoryStore } from '../../src/state/memory/memory-store.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { SHOP, siteOf, startTestApp, until } from '../harness.ts';
import { resourcesInUse } from './heap.ts';
import { makeVisits, SAME_PAGE } from './visits.ts';

/** Time longer than a site is maintained after its last visitor has left. Milliseconds. */
const AFTERWARDS_MS = TIMES.graceMs + 30_000;

/** Service with visits and then without, with a clock that can be advanced. */
export class VisitedApp {
  readonly app: App;
  readonly #skip: (ms: number) => void;
  readonly #resources = resourcesInUse();

  private constructor(app: App, skip: (ms: number) => void) {
    this.app = app;
    this.#skip = skip;
  }

  static async start(redisUrl?: string): Promise<VisitedApp> {
    let skippedMs = 0;
    const app = await startTestApp({
      config: { HOST: '127.0.0.1', PORT: 0, REDIS_URL: redisUrl === undefined ? undefined : parseRedisUrl(redisUrl) },
      siteList: [siteOf(SHOP.key, undefined, {}, SAME_PAGE)],
      clock: () => Date.now() + skippedMs,
      // Visitors and the service share one process here, which a busy machine makes late: none is to be turned away for it.
      load: { delayMs: () => 0 },
    });
    return new VisitedApp(app, (ms) => void (skippedMs += ms));
  }

  async visit(count: number, endings: Parameters<typeof makeVisits>[2]): Promise<void> {
    await makeVisits(this.app, count, endings);
    await expect.poll(() => this.app.held()).toMatchObject({ connections: 0, sockets: 0 });
  }

  /** Advances past the grace period, and expects that this node holds nothing and nobody's timers. */
  async expectEmpty(): Promise<void> {
    const { app } = this;
    const held = () => [
      ...Object.entries(app.held()),
      ...(app.store instanceof MemoryStore ? Object.entries(app.store.sizes()) : []),
    ];
    const heldAfterwards = () => {
      // At each look: the store may have been told of a visitor's leaving only after the last one.
      this.#skip(AFTERWARDS_MS);
      return held().filter(([, count]) => count > 0);
    };
    await expect.poll(heldAfterwards).toEqual([]);
    const isMore = ([kind, count]: [string, number]) => count > (this.#resources[kind] ?? 0);
    await until(() => !Object.entries(resourcesInUse()).some(isMore), 'no timer and no socket is left');
  }

  stop(): Promise<void> {
    return this.app.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
