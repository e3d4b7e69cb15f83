import { describe, it } from 'vitest';
import { expectKillsAreSurvived } from './killed-connections.ts';
import { PostgresServer } from './servers/postgres-server.ts';

describe('a node whose connections to PostgreSQL are killed again and again', () => {
  it('loses none of what it wrote, leaves nothing open, and lives', async () => {
    await using server = await PostgresServer.start();
    await expectKillsAreSurvived(server, 60);
  });
});
