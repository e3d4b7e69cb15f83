import { expect } from 'vitest';
import { FREE, ORIGIN, Visitor } from './harness.ts';
import { ServiceProcess } from '../../.config/test/service-process.ts';
import { PostgresServer } from './servers/postgres-server.ts';

const OPERATOR_TOKEN = 'operator-token-of-the-tests-0123456789';
const headers = { Authorization: `Bearer ${OPERATOR_TOKEN}`, 'Content-Type': 'application/json' };

/** Timeout of every wait. Milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Revokes a key on one process while visitors who use it are on another one. Returns the time until it was refused
 * there and they were disconnected with the reason. Milliseconds.
 */
export async function revokeElsewhere(): Promise<number> {
  await using server = await PostgresServer.start();
  const env = { DATABASE_URL: await server.database(), OPERATOR_TOKEN };
  await using a = await ServiceProcess.start(env);
  await using b = await ServiceProcess.start(env);
  const body = JSON.stringify({ name: 'Shop', origins: [ORIGIN], settings: { match: FREE } });
  const made = await fetch(`${a.url}/admin/v1/sites`, { method: 'POST', headers, body });
  const { keys } = (await made.json()) as {
    readonly keys: readonly { readonly id: string; readonly text: string; readonly mode: string }[];
  };
  const live = keys[0]!;
  const isOpen = () =>
    fetch(`${b.url}/v1/site?site=${live.text}`, { headers: { Origin: ORIGIN } }).then(({ ok }) => ok);
  await expect.poll(isOpen, { timeout: PATIENCE_MS }).toBe(true);
  const visitors = [await Visitor.arrive(b, { site: live.text }), await Visitor.arrive(b, { site: live.text })];
  for (const visitor of visitors) await visitor.find();
  const refused = visitors.map((visitor) => visitor.next('session:refused'));

  const revokedAt = performance.now();
  await fetch(`${a.url}/admin/v1/keys/${live.id}`, { method: 'DELETE', headers });
  await expect.poll(isOpen, { timeout: PATIENCE_MS, interval: 10 }).toBe(false);
  for (const reason of await Promise.all(refused)) expect(reason).toMatchObject({ code: 'key_revoked' });
  const tookMs = performance.now() - revokedAt;
  for (const visitor of visitors) await expect.poll(() => visitor.socket.connected).toBe(false);
  await expect(Visitor.arrive(b, { site: live.text })).rejects.toThrow();
  return tookMs;
}
