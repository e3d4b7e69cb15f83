import { describe, expect, test, vi } from 'vitest';
import { monotonicClock, systemClock } from '../src/clock.ts';
import type { RecordsPlace } from '../src/records/records-place.ts';
import { openRecords } from '../src/records/records.ts';
import { AccessDirectory } from '../src/admission/access-directory.ts';
import { seedSites } from '../src/sites/seed.ts';
import { SiteService } from '../src/sites/site-service.ts';
import { sitesFile } from '../src/sites/sites-file.ts';
import type { SiteId } from '../src/domain/ids.ts';
import { listLog } from './harness.ts';
import { PATIENT } from './temp-records.ts';

/** Ten times the delay that docs/sites.md promises for any change, for a slow machine. Milliseconds. */
const SOON = { timeout: 60_000, interval: 10 };

/** Propagation of changes between nodes that share a database. */
export function describeFollowing(
  name: string,
  placeOf: () => Promise<{ readonly place: RecordsPlace } & AsyncDisposable>,
): void {
  /** Two nodes that follow one database, each with connections of its own. */
  async function twoNodes() {
    const made = await placeOf();
    const nodes = await Promise.all(
      [1, 2].map(async () => {
        const records = await openRecords(made.place, undefined, PATIENT);
        const directory = await AccessDirectory.open({
          records,
          dates: systemClock,
          clock: monotonicClock,
          log: listLog(),
          builtIn: [],
        });
        directory.follow();
        return { records, directory, service: new SiteService({ records, clock: systemClock, actor: 'operator' }) };
      }),
    );
    return {
      a: nodes[0]!,
      b: nodes[1]!,
      [Symbol.asyncDispose]: async () => {
        for (const { directory, records } of nodes) {
          directory.close();
          await records.close();
        }
        await made[Symbol.asyncDispose]();
      },
    };
  }

  describe(`two nodes on one ${name}`, () => {
    test('a key created on one is valid on the other, and revoked on one is refused on both', async () => {
      await using the = await twoNodes();
      const { keys } = await the.a.service.add({ name: 'Shop', origins: ['https://shop.example'] });
      const live = keys[0]!;
      const both = [the.a.directory, the.b.directory];
      await vi.waitFor(() => {
        for (const directory of both) expect(directory.find(live.text)).toMatchObject({ mode: 'live', name: 'Shop' });
      }, SOON);
      const gone: string[] = [];
      the.b.directory.onChange(({ goneKeys }) => gone.push(...goneKeys));
      await the.a.service.revokeKey(live.id);
      await vi.waitFor(() => {
        for (const directory of both) expect(directory.find(live.text)).toBeUndefined();
        expect(gone).toEqual([live.text]);
      }, SOON);
      expect(the.b.directory.find(keys[1]!.text)).toBeDefined();
    });

    test('both apply many simultaneous changes', async () => {
      await using the = await twoNodes();
      const ids = Array.from({ length: 6 }, (_, n) => `site_n00${n}` as SiteId);
      await Promise.all(
        ids.map(async (id, n) => {
          const { service } = n % 2 === 0 ? the.a : the.b;
          await service.add({ id, name: `Site ${n}` });
          await service.addOrigin(id, `https://n${n}.example`);
          await service.setPolicy(id, { interests: [`interest ${n}`] });
          if (n >= 4) await service.disable(id);
        }),
      );
      for (const { directory } of [the.a, the.b]) {
        await vi.waitFor(() => {
          for (const [n, id] of ids.entries()) {
            const known = directory.byId(id);
            if (n >= 4) expect(known).toBeUndefined();
            else
              expect(known).toMatchObject({
                origins: [{ origin: `https://n${n}.example` }],
                policy: { interests: [`interest ${n}`] },
              });
          }
        }, SOON);
      }
    });

    test('starting with one sites file at once, seed it once', async () => {
      await using the = await twoNodes();
      const { sites } = sitesFile.parse({
        sites: [1, 2, 3].map((n) => ({
          key: `pk_live_seed${n}`,
          name: `Seed ${n}`,
          origins: [`https://n${n}.example`],
        })),
      });
      await Promise.all([the.a, the.b].map(({ records }) => seedSites(records, sites, systemClock)));
      const before = { revision: await the.a.records.revision(), audit: await the.a.records.audit.list({ max: 100 }) };
      expect(before.audit.items).toHaveLength(6);
      await Promise.all([the.a, the.b].map(({ records }) => seedSites(records, sites, systemClock)));
      expect({
        revision: await the.a.records.revision(),
        audit: await the.a.records.audit.list({ max: 100 }),
      }).toEqual(before);
    });
  });
}
