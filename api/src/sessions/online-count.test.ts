import type { OnlineBucket } from '@passerby/sdk/protocol';
import { describe, expect, it, vi } from 'vitest';
import type { Broadcast } from '../broadcast.ts';
import type { SiteId } from '../domain/ids.ts';
import type { StateStore } from '../state/state-store.ts';
import { SiteTurns } from '../state/site-turns.ts';
import { bucketOf, OnlineCount } from './online-count.ts';

const SITE = 'site_a' as SiteId;

/** Visitors of sites on one node, what each was told last, and what the store says. */
function stage() {
  let now = 0;
  const counts = new Map<SiteId, number | Error>();
  /** By visitor: the lower end of the bucket they were told last. */
  const told = new Map<string, number>();
  const rooms = new Map<SiteId, Set<string>>();
  const slow = new Set<string>();
  let pushes = 0;
  const store = {
    online: async (site: SiteId) => {
      const count = counts.get(site) ?? 0;
      if (count instanceof Error) throw count;
      return count;
    },
  } as Pick<StateStore, 'online'> as StateStore;
  const local = { hasVisitors: (site: SiteId) => (rooms.get(site)?.size ?? 0) > 0 };
  const broadcast = {
    toSite: (site: SiteId, _name: string, { online }: { online: OnlineBucket }) => {
      pushes += 1;
      const room = [...(rooms.get(site) ?? [])];
      for (const visitor of room) if (!slow.has(visitor)) told.set(visitor, online.min);
      return room.every((visitor) => !slow.has(visitor));
    },
  } as Pick<Broadcast, 'toSite'>;
  const failed: SiteId[] = [];
  const turns = new SiteTurns({ clock: () => now, failed: (_, site) => void failed.push(site) });
  const online = new OnlineCount({ store, local, broadcast, clock: () => now, turns });
  return {
    online,
    failed,
    told,
    slow,
    pushes: () => pushes,
    /** The count of a site, on all nodes. */
    set: (count: number | Error, site = SITE) => void counts.set(site, count),
    arrive: async (visitor: string, site = SITE) => {
      online.touch(site);
      rooms.set(site, (rooms.get(site) ?? new Set()).add(visitor));
      await online.tellArrived(site, ({ min }) => told.set(visitor, min));
    },
    leave: (visitor: string, site = SITE) => {
      rooms.get(site)?.delete(visitor);
      online.touch(site);
    },
    pass: (ms: number) => void (now += ms),
  };
}

describe('Online', () => {
  it('corrects visitors who arrived while the count passed through another bucket', async () => {
    const the = stage();
    the.set(2);
    await the.arrive('a');
    await the.online.tellChanges();
    // a and b go, c arrives alone and then d, all between two looks.
    the.leave('a');
    the.set(1);
    await the.arrive('c');
    expect(the.told.get('c')).toBe(0);
    the.set(2);
    await the.arrive('d');
    await the.online.tellChanges();
    expect([the.told.get('c'), the.told.get('d')]).toEqual([2, 2]);
  });

  it('polls for visitors of other nodes', async () => {
    const the = stage();
    the.set(1);
    await the.arrive('a');
    await the.online.tellChanges();
    the.set(2);
    the.pass(1_999);
    await the.online.tellChanges();
    expect(the.told.get('a')).toBe(0);
    the.pass(1);
    await the.online.tellChanges();
    expect(the.told.get('a')).toBe(2);
  });

  it('sends nothing while the bucket stays the same', async () => {
    const the = stage();
    the.set(3);
    await the.arrive('a');
    for (let count = 0; count < 5; count++) {
      the.pass(2_000);
      await the.online.tellChanges();
    }
    expect(the.pushes()).toBe(0);
  });

  it('sends to slow readers at the next poll', async () => {
    const the = stage();
    the.set(1);
    await the.arrive('a');
    await the.online.tellChanges();
    the.slow.add('a');
    the.set(2);
    the.online.touch(SITE);
    await the.online.tellChanges();
    expect(the.told.get('a')).toBe(0);
    the.slow.clear();
    the.pass(2_000);
    await the.online.tellChanges();
    expect(the.told.get('a')).toBe(2);
  });

  it('polls every site although one of them fails, and retries that one', async () => {
    const the = stage();
    const other = 'site_b' as SiteId;
    the.set(1);
    the.set(1, other);
    await the.arrive('a');
    await the.arrive('b', other);
    the.set(new Error('away'));
    the.set(2, other);
    the.online.touch(SITE);
    the.online.touch(other);
    await the.online.tellChanges();
    expect(the.failed).toEqual([SITE]);
    expect(the.told.get('b')).toBe(2);
    the.set(2);
    the.pass(2_000);
    await the.online.tellChanges();
    await vi.waitFor(() => expect(the.told.get('a')).toBe(2), { timeout: 30_000 });
  });

  it('forgets a site without visitors', async () => {
    const the = stage();
    await the.arrive('a');
    the.leave('a');
    await the.online.tellChanges();
    expect(the.online.size).toBe(0);
  });
});

describe('bucketOf', () => {
  it.each([
    [0, 0, 1],
    [1, 0, 1],
    [2, 2, 5],
    [11, 6, 11],
    [10_000, 10_000, null],
  ])('of %i is %i to %s', (count, min, max) => {
    expect(bucketOf(count)).toEqual({ min, max });
  });
});
