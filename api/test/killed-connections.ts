import { expect, vi } from 'vitest';
import { monotonicClock, systemClock } from '../src/clock.ts';
import { DatabaseFailure } from '../src/records/database-failure.ts';
import { RECORDS_BOUNDS } from '../src/records/bounds.ts';
import { openRecords } from '../src/records/records.ts';
import { AccessDirectory } from '../src/admission/access-directory.ts';
import { SiteService } from '../src/sites/site-service.ts';
import type { SiteId } from '../src/domain/ids.ts';
import { TcpProxy } from './faults/tcp-proxy.ts';
import { listLog } from './harness.ts';
import type { PostgresServer } from './servers/postgres-server.ts';

const SHOP = 'site_shop' as SiteId;
const SOON = { timeout: 60_000, interval: 20 };
const NOW = 1_800_000_000_000;

/** Returns the number of open TCP sockets of this process. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

/**
 * Ends connections to PostgreSQL, `killsMin` at least, half of them by the server and half on the way, while a
 * directory polls and an operator writes: nothing ends the process, nothing is leaked, and every write is applied.
 */
export async function expectKillsAreSurvived(server: PostgresServer, killsMin: number): Promise<void> {
  const before = sockets();
  const name = new URL(await server.database()).pathname.slice(1);
  const proxy = await TcpProxy.start(server.port);
  const log = listLog();
  const records = await openRecords(
    { kind: 'postgres', url: server.url(name, undefined, undefined, proxy.port) },
    systemClock,
    { log },
  );
  const directory = await AccessDirectory.open({
    records,
    dates: systemClock,
    clock: monotonicClock,
    log,
    builtIn: [],
  });
  const service = new SiteService({ records, clock: systemClock, actor: 'operator' });
  await service.add({ id: SHOP, name: 'Shop', origins: [] });

  let isOver = false;
  let [kills, writes, refused, most] = [0, 0, 0, 0];
  /** Repeats an action; only failures of the database may result. */
  const repeat = async (work: () => Promise<unknown>) => {
    while (!isOver) {
      await work().catch((thrown: unknown) => {
        expect(thrown).toBeInstanceOf(DatabaseFailure);
        refused++;
      });
    }
  };
  const work = [
    repeat(async () => {
      // Never rejects; faster than the service does it.
      await directory.poll();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }),
    ...[1, 2, 3].map((n) =>
      repeat(async () => {
        await records.bans.add({
          site: SHOP,
          kind: 'ban_id',
          value: `${n}`,
          reason: 'spam',
          actor: 'operator',
          createdAt: NOW,
          until: null,
        });
        writes++;
      }),
    ),
  ];
  for (let turn = 0; kills < killsMin; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    most = Math.max(most, await server.connections());
    if (turn % 2 === 0) kills += await server.killConnections();
    else {
      kills += proxy.lines.length;
      proxy.reset();
    }
  }
  isOver = true;
  await Promise.all(work);
  console.info(
    `${kills} connections killed: ${writes} writes done, ${refused} refused, at most ${most} connections at once`,
  );

  // What is lent out, what follows, and what the server has not cleared away yet of those that were reset.
  expect(most).toBeLessThanOrEqual(2 * (RECORDS_BOUNDS.connectionsMax + 1));
  expect(writes).toBeGreaterThan(0);
  // The first question may get a connection that was killed last.
  const { items } = await vi.waitFor(() => records.bans.list({ max: 1_000_000 }), SOON);
  expect(items.length).toBeGreaterThanOrEqual(writes);
  await vi.waitFor(() => service.disable(SHOP), SOON);
  await vi.waitFor(async () => {
    await directory.poll();
    expect(directory.byId(SHOP)).toBeUndefined();
    for (const value of ['1', '2', '3']) expect(directory.bans.findBan(SHOP, 'ban_id', value, NOW)).not.toBeNull();
    expect(directory.staleSince()).toBeNull();
  }, SOON);
  await vi.waitFor(async () => {
    expect(await server.connections()).toBeLessThanOrEqual(RECORDS_BOUNDS.connectionsMax + 1);
  }, SOON);

  directory.close();
  await records.close();
  await proxy.stop();
  await vi.waitFor(async () => {
    expect(await server.connections()).toBe(0);
    expect(sockets()).toBeLessThanOrEqual(before);
  }, SOON);
}
