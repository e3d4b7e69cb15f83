import { afterAll, beforeAll } from 'vitest';
import { describeFollowing } from './followed-contract.ts';
import { PostgresServer } from './servers/postgres-server.ts';

let server: PostgresServer | undefined;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server?.stop());

describeFollowing('PostgreSQL', async () => ({
  place: { kind: 'postgres', url: await server!.database() },
  [Symbol.asyncDispose]: () => Promise.resolve(),
}));
