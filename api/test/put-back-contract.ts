import { expect, vi } from 'vitest';
import { monotonicClock, systemClock } from '../src/clock.ts';
import type { RecordsPlace } from '../src/records/records-place.ts';
import { openRecords, type Records } from '../src/records/records.ts';
import { AccessDirectory } from '../src/admission/access-directory.ts';
import { SiteService } from '../src/sites/site-service.ts';
import type { SiteId } from '../src/domain/ids.ts';
import { listLog } from './harness.ts';
import { PATIENT } from './temp-records.ts';

const SHOP = 'site_shop' as SiteId;
const SINCE = 'site_since' as SiteId;
const NOW = 1_800_000_000_000;
/** Time of a few polls; longer for a slow machine. */
const SOON = { timeout: 60_000, interval: 20 };

const ban = { site: SHOP, kind: 'ban_id', reason: 'spam', actor: 'operator', createdAt: NOW, until: null } as const;

export interface PutBackParts {
  readonly place: RecordsPlace;
  /** Saves the present state. */
  readonly keep: () => Promise<unknown>;
  /** Restores the saved state under the running nodes. `change` may change it further before they see it. */
  readonly putBack: (change: (records: Records) => Promise<unknown>) => Promise<unknown>;
}

/**
 * Nodes on a database that is restored to an earlier state apply that state. `changes`: number of further changes
 * before they poll.
 */
export async function expectPutBackIsNoticed(
  parts: PutBackParts,
  changes: 'fewer' | 'as many' | 'more',
): Promise<void> {
  const { place, keep, putBack } = parts;
  const nodes = await Promise.all(
    [1, 2].map(async () => {
      const records = await openRecords(place, undefined, PATIENT);
      const directory = await AccessDirectory.open({
        records,
        dates: systemClock,
        clock: monotonicClock,
        log: listLog(),
        builtIn: [],
      });
      directory.follow();
      return { records, directory };
    }),
  );
  const [{ records }] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  const service = new SiteService({ records, clock: systemClock, actor: 'operator' });
  const isBanned = ({ directory }: (typeof nodes)[0], value: string) =>
    directory.bans.findBan(SHOP, 'ban_id', value, NOW) !== null;
  try {
    const { keys } = await service.add({ id: SHOP, name: 'As kept', origins: [] });
    const held = await records.bans.add({ ...ban, value: 'before' });
    const kept = (await records.revision()).number;
    await keep();

    await vi.waitFor(() => records.bans.lift(held.id, NOW), SOON);
    await records.bans.add({ ...ban, value: 'since' });
    await service.add({ id: SINCE, name: 'Since', origins: [] });
    const made = await service.addKey(SHOP, 'publishable', 'live');
    await service.disable(SHOP);
    const known = (await records.revision()).number;
    await vi.waitFor(() => {
      for (const node of nodes) {
        expect(node.directory.find(keys[0]!.text)).toBeUndefined();
        expect([isBanned(node, 'before'), isBanned(node, 'since')]).toEqual([false, true]);
      }
    }, SOON);

    const further = { fewer: 1, 'as many': known - kept, more: known - kept + 3 }[changes];
    await putBack(async (earlier) => {
      for (let n = 1; n <= further; n++) await earlier.sites.set(SHOP, { name: `Change ${n}` });
      expect((await earlier.revision()).number - known).toBe(
        { fewer: kept + 1 - known, 'as many': 0, more: 3 }[changes],
      );
    });
    await vi.waitFor(() => {
      for (const node of nodes) {
        const { directory } = node;
        expect(directory.find(keys[0]!.text)).toMatchObject({ name: `Change ${further}` });
        expect([isBanned(node, 'before'), isBanned(node, 'since')]).toEqual([true, false]);
        expect([directory.find(made.text), directory.byId(SINCE)]).toEqual([undefined, undefined]);
        expect(directory.staleSince()).toBeNull();
      }
    }, SOON);

    // And it goes on from there.
    await vi.waitFor(() => service.disable(SHOP), SOON);
    await vi.waitFor(() => {
      for (const { directory } of nodes) expect(directory.find(keys[0]!.text)).toBeUndefined();
    }, SOON);
  } finally {
    for (const node of nodes) {
      node.directory.close();
      await node.records.close();
    }
  }
}
