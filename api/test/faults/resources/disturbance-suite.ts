import { afterAll, beforeAll, describe, it } from 'vitest';
import { DISTURBANCES, EXTENTS, type DisturbedResource } from './disturbance.ts';
import type { DisturbedService } from './disturbed-service.ts';

/** Service, its resources by name, and the end of the processes that were started for them. */
export interface Setting extends AsyncDisposable {
  readonly service: DisturbedService;
  readonly resources: readonly DisturbedResource[];
  /** Number of descriptors that may remain, such as those of a pool that had not reached its size. */
  readonly descriptorsSpare: number;
}

/** Disturbs every resource of a setting in every way: all at once in the short profile, one by one in the deep one. */
export function testDisturbances(title: string, profile: keyof typeof EXTENTS, start: () => Promise<Setting>): void {
  const extent = EXTENTS[profile];
  describe(title, { timeout: profile === 'deep' ? 600_000 : 90_000 }, () => {
    let setting: Setting;
    beforeAll(async () => void (setting = await start()), 120_000);
    afterAll(() => setting?.[Symbol.asyncDispose](), 30_000);

    it.each(DISTURBANCES)('affects nobody: %s', async (disturbance) => {
      const { service, resources } = setting;
      if (profile === 'short') return service.withstand(resources, disturbance, extent);
      for (const resource of resources) await service.withstand([resource], disturbance, extent);
    });

    it('leaks no descriptor and no memory, and repeats no log line', async () => {
      await setting.service.settle(setting.descriptorsSpare);
    });
  });
}
