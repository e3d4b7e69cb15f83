import { describe, it } from 'vitest';
import { expectKillsAreSurvived } from './killed-connections.ts';
import { PostgresServer } from './servers/postgres-server.ts';

describe('node whose connections to PostgreSQL are killed repeatedly', () => {
  it('loses no write, leaks nothing, and survives', async () => {
    await using server = await PostgresServer.start();
    await expectKillsAreSurvived(server, 60);
  });
});
