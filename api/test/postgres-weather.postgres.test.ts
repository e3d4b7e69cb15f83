import type { ConversationId } from '@passerby/sdk/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { monotonicClock, systemClock } from '../src/clock.ts';
import type { RecordsBounds } from '../src/records/bounds.ts';
import { DatabaseFailure } from '../src/records/database-failure.ts';
import { openRecords } from '../src/records/records.ts';
import { AccessDirectory } from '../src/admission/access-directory.ts';
import { SiteService } from '../src/sites/site-service.ts';
import type { AddressHash, SiteId } from '../src/domain/ids.ts';
import { TcpProxy } from './faults/tcp-proxy.ts';
import { listLog } from './harness.ts';
import { ServiceProcess } from '../../.config/test/service-process.ts';
import { PostgresServer } from './servers/postgres-server.ts';

const SHOP = 'site_shop' as SiteId;
const PASSWORD = 'kept-to-ourselves';

/** Deadlines for a test. Operations that are retried until they succeed tolerate a missed one on a slow machine. */
const BOUNDS = { connectMs: 1_000, queryMs: 1_000, statementMs: 800, lockMs: 600, transactionMs: 2_000, closeMs: 300 };
/** Time for which recovery is waited for: many times the deadlines. */
const SOON = { timeout: 60_000, interval: 50 };

let server: PostgresServer | undefined;
let proxy: TcpProxy | undefined;
beforeAll(async () => {
  server = await PostgresServer.start();
  proxy = await TcpProxy.start(server.port);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});

let users = 0;

/** Node whose database is reached through the proxy, as a user of its own. */
async function node(bounds: Partial<RecordsBounds> = {}) {
  const user = `app_${++users}`;
  await server!.ask(`create role ${user} login password '${PASSWORD}'`);
  await server!.ask(`create database ${user} owner ${user}`);
  const place = { kind: 'postgres', url: server!.url(user, user, PASSWORD, proxy!.port) } as const;
  const log = listLog();
  const open = () => openRecords(place, systemClock, { bounds: { ...BOUNDS, ...bounds }, log });
  const records = await open();
  const directory = await AccessDirectory.open({
    records,
    dates: systemClock,
    clock: monotonicClock,
    log,
    builtIn: [],
  });
  directory.follow();
  const service = new SiteService({ records, clock: systemClock, actor: 'operator' });
  await service.add({ id: SHOP, name: 'Shop', origins: [] });
  let reports = 0;
  return {
    user,
    open,
    log,
    directory,
    write: (name: string) => service.rename(SHOP, name),
    report: () =>
      records.reports.add({
        site: SHOP,
        conversationId: `c_${++reports}` as ConversationId,
        reason: 'spam',
        comment: null,
        messages: null,
        counts: true,
        reporter: 'address_a' as AddressHash,
        reporterNetwork: 'address_a' as AddressHash,
        reportedAddress: 'address_b' as AddressHash,
        reportedNetworks: [],
        reportedBanId: null,
        createdAt: Date.now(),
      }),
    probe: () => records.probe(),
    close: () => records.close(),
    [Symbol.asyncDispose]: async () => {
      directory.close();
      await records.close();
    },
  };
}

/** Returns what was thrown; fails if nothing was. */
async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable('it did not fail'),
    (thrown: unknown) => thrown,
  );
}

interface Weather {
  readonly begin: (user: string) => Promise<unknown> | void;
  readonly end: (user: string) => Promise<unknown> | void;
  /** True if only existing operations fail meanwhile; otherwise polls and starts fail too. */
  readonly stops: 'writes' | 'everything';
  /** Reason in the log. */
  readonly reason: RegExp;
}

const WEATHER: Readonly<Record<string, Weather>> = {
  stopped: {
    begin: () => server!.down(),
    end: () => server!.up(),
    stops: 'everything',
    reason: /^(ECONNREFUSED|ECONNRESET|CONNECTION_LOST|57P0[13])$/,
  },
  refused: {
    begin: () => proxy!.shut(),
    end: () => proxy!.open(),
    stops: 'everything',
    reason: /^(ECONNRESET|CONNECTION_LOST)$/,
  },
  silent: {
    begin: () => proxy!.delay(3_600_000),
    end: () => {
      proxy!.calm();
      // What was sent into the silence never arrives.
      for (const line of proxy!.lines) line.goSilent();
    },
    stops: 'everything',
    reason: /^(QUERY_TIMEOUT|CONNECT_TIMEOUT|NO_FREE_CONNECTION)$/,
  },
  slow: {
    begin: () => proxy!.throttle(10),
    end: () => proxy!.calm(),
    stops: 'everything',
    reason: /^(QUERY_TIMEOUT|CONNECT_TIMEOUT|NO_FREE_CONNECTION)$/,
  },
  'too many clients': {
    begin: async (user) => {
      await server!.ask(`alter role ${user} connection limit 0`);
      await server!.killConnections(user);
    },
    end: (user) => server!.ask(`alter role ${user} connection limit -1`),
    stops: 'everything',
    reason: /^(53300|57P01|CONNECTION_LOST)$/,
  },
  'another password': {
    begin: async (user) => {
      await server!.ask(`alter role ${user} password 'another'`);
      await server!.killConnections(user);
    },
    end: (user) => server!.ask(`alter role ${user} password '${PASSWORD}'`),
    stops: 'everything',
    reason: /^(28P01|57P01|CONNECTION_LOST)$/,
  },
  'read-only': {
    begin: async (user) => {
      await server!.ask(`alter role ${user} set default_transaction_read_only = on`);
      await server!.killConnections(user);
    },
    end: async (user) => {
      await server!.ask(`alter role ${user} reset default_transaction_read_only`);
      await server!.killConnections(user);
    },
    stops: 'writes',
    reason: /^(25006|57P01|CONNECTION_LOST)$/,
  },
};

describe('node with a failing PostgreSQL', () => {
  it.each(Object.entries(WEATHER))('%s: answers with the reason, lives, and recovers', async (_, weather) => {
    await using the = await node();
    await weather.begin(the.user);
    try {
      // One that is under way may have got through.
      await vi.waitFor(async () => expect(await failure(the.write('Lost'))).toBeInstanceOf(DatabaseFailure), SOON);
      for (const thrown of await Promise.all([the.write('Lost'), the.report(), the.probe()].map(failure))) {
        expect(thrown).toMatchObject({ code: 'unavailable', reason: expect.stringMatching(weather.reason) });
      }
      if (weather.stops === 'everything') {
        await vi.waitFor(() => expect(the.directory.staleSince()).not.toBeNull(), SOON);
        const refused = (await failure(the.open())) as Error;
        expect(refused.message).toMatch(/^DATABASE_URL: [^\n]+ \([A-Z0-9_]+\)$/);
        expect(refused.message).not.toContain(PASSWORD);
        expect(refused.message).not.toContain(the.user);
      } else {
        await vi.waitFor(() => expect(the.directory.staleSince()).toBeNull(), SOON);
        await (await the.open()).close();
      }
      const failed = the.log.lines.filter(({ message }) => message === 'the database failed');
      expect(failed.length).toBeGreaterThan(0);
      for (const { fields } of failed) expect(fields).toEqual({ reason: expect.stringMatching(weather.reason) });
    } finally {
      await weather.end(the.user);
    }
    await vi.waitFor(() => the.write('Back'), SOON);
    await vi.waitFor(() => the.report(), SOON);
    await the.probe();
    await vi.waitFor(() => {
      expect(the.directory.staleSince()).toBeNull();
      expect(the.directory.byId(SHOP)).toMatchObject({ name: 'Back' });
    }, SOON);
    await (await the.open()).close();
  });

  it.each([
    ['gone silent', () => proxy!.goSilent()],
    ['closed', () => proxy!.cut()],
    ['reset', () => proxy!.reset()],
  ])('whose connections are %s replaces them one by one', async (_, harm) => {
    await using the = await node({ queryMs: 3_000, transactionMs: 10_000 });
    // Several that lie idle, each of which could be waited for.
    await Promise.all([the.report(), the.report(), the.report()]);
    harm();
    const failures: string[] = [];
    await vi.waitFor(
      () =>
        the.write('Back').catch((thrown: unknown) => {
          failures.push(String(thrown));
          throw thrown;
        }),
      SOON,
    );
    expect(failures.slice(1)).toEqual([]);
    await vi.waitFor(() => expect(the.directory.byId(SHOP)).toMatchObject({ name: 'Back' }), SOON);
  });

  it('closes during silence, long before the deadline of a statement', async () => {
    // Far longer than this test may last.
    await using the = await node({
      connectMs: 600_000,
      queryMs: 600_000,
      transactionMs: 600_000,
      statementMs: 600_000,
    });
    proxy!.delay(3_600_000);
    const [writing, reporting] = [failure(the.write('Lost')), failure(the.report())];
    await the.close();
    expect(await writing).toBeInstanceOf(DatabaseFailure);
    expect(await reporting).toBeInstanceOf(DatabaseFailure);
    proxy!.calm();
  });
});

describe('service process whose PostgreSQL refuses connections and then is silent', () => {
  it('answers operators with unavailable, logs the reason, recovers, and shuts down', async () => {
    const token = 'operator-token-of-the-tests-0123456789';
    const name = new URL(await server!.database()).pathname.slice(1);
    await using service = await ServiceProcess.start({
      DATABASE_URL: server!.url(name, undefined, undefined, proxy!.port),
      OPERATOR_TOKEN: token,
    });
    const addSite = () =>
      fetch(`${service.url}/admin/v1/sites`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ name: 'Shop', origins: [] }),
      });
    const reasons = async () =>
      ((await (await fetch(`${service.url}/readyz`)).json()) as { readonly reasons?: readonly string[] }).reasons ?? [];
    expect((await addSite()).status).toBe(201);

    proxy!.shut();
    await vi.waitFor(async () => {
      const answer = await addSite();
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await answer.json()).toMatchObject({ code: 'unavailable' });
    }, SOON);
    await vi.waitFor(async () => expect(await reasons()).toContain('records_stale'), SOON);
    proxy!.open();
    await vi.waitFor(async () => {
      expect((await addSite()).status).toBe(201);
      expect(await reasons()).not.toContain('records_stale');
    }, SOON);

    const lines = service.output.split('\n').filter((line) => line.startsWith('{'));
    const kinds = lines.map((line) => {
      const { msg, reason } = JSON.parse(line) as { readonly msg: string; readonly reason: string };
      expect(reason).toMatch(/^(ECONNRESET|CONNECTION_LOST)$/);
      return `${msg} ${reason}`;
    });
    expect(new Set(kinds.map((kind) => kind.replace(/ \w+$/, '')))).toEqual(
      new Set(['the records of sites cannot be read', 'the database failed']),
    );
    // One a kind and minute, and this takes less than two.
    expect(kinds.length).toBeLessThanOrEqual(2 * new Set(kinds).size);

    proxy!.delay(3_600_000);
    await service.drain();
    proxy!.calm();
  });
});
