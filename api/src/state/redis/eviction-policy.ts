import { Cluster } from 'ioredis';
import type { RedisClient } from './redis-client.ts';

/** Resolves to the eviction policies of all queried servers with a memory limit that evict keys; empty if none does. */
export async function evictingPolicies(client: RedisClient): Promise<readonly string[]> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  const infos = await Promise.all(servers.map((server) => server.info('memory')));
  const policies = infos.map(evictingPolicyOf).filter((policy) => policy !== null);
  return [...new Set(policies)];
}

/** Returns the eviction policy of a server; `null` if it evicts no keys, or has no memory limit. */
export function evictingPolicyOf(infoMemory: string): string | null {
  const valueOf = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(infoMemory)?.[1];
  const policy = valueOf('maxmemory_policy') ?? 'noeviction';
  return policy === 'noeviction' || valueOf('maxmemory') === '0' ? null : policy;
}
