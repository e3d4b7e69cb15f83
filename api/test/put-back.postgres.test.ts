import { afterAll, beforeAll, describe, it } from 'vitest';
import { openRecords } from '../src/records/records.ts';
import { expectPutBackIsNoticed } from './put-back-contract.ts';
import { PostgresServer } from './servers/postgres-server.ts';
import { PATIENT } from './temp-records.ts';

let server: PostgresServer | undefined;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server?.stop());

describe('restore of a PostgreSQL database under running nodes', () => {
  it.each(['fewer', 'as many', 'more'] as const)('is detected, with %s changes since', async (changes) => {
    const url = await server!.database();
    const name = new URL(url).pathname.slice(1);
    const ask = (text: string) => server!.ask(text);
    await expectPutBackIsNoticed(
      {
        place: { kind: 'postgres', url },
        keep: async () => {
          // A template must not be connected to.
          await ask(`alter database ${name} with allow_connections false`);
          await ask(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
          await ask(`create database ${name}_kept template ${name}`);
          await ask(`alter database ${name} with allow_connections true`);
        },
        putBack: async (change) => {
          {
            await using earlier = await openRecords(
              { kind: 'postgres', url: server!.url(`${name}_kept`) },
              undefined,
              PATIENT,
            );
            await change(earlier);
          }
          await ask(`drop database ${name} with (force)`);
          await ask(`alter database ${name}_kept rename to ${name}`);
        },
      },
      changes,
    );
  });
});
