import { afterAll, beforeAll } from 'vitest';
import { describeRecords } from '../../test/records-contract.ts';
import { PostgresServer } from '../../test/servers/postgres-server.ts';

let server: PostgresServer | undefined;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server?.stop());

describeRecords('PostgreSQL', async () => ({
  place: { kind: 'postgres', url: await server!.database() },
  [Symbol.asyncDispose]: () => Promise.resolve(),
}));
