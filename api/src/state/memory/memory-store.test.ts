import { describeKnownVisitors } from '../../../test/known-visitors-contract.ts';
import { FINGERPRINT } from '../../../test/fingerprints.ts';
import type { SiteId } from '../../domain/ids.ts';
import { expect, test } from 'vitest';
import { describeStore, type StoreUnderTest } from '../../../test/store-contract.ts';
import { DEFAULT_MATCH_RULES } from '../../matching/rules.ts';
import { ticketFrom } from '../../matching/ticket.ts';
import { randomIds } from '../../domain/id-source.ts';
import { MemoryStore } from './memory-store.ts';

const create = async (): Promise<StoreUnderTest> => {
  let now = 1_000_000;
  return {
    store: new MemoryStore(() => now, randomIds),
    advance: async (ms) => void (now += ms),
    close: async () => undefined,
  };
};
describeStore('the memory store', create);
describeKnownVisitors('the memory store', create);

test('keeps nothing once all visitors have left', async () => {
  const store = new MemoryStore(() => 0, randomIds);
  const site = 'site_site' as SiteId;
  for (let n = 0; n < 100; n++) {
    const sessions = [0, 1].map(() => store.open(site, randomIds.node(), randomIds.resume(), FINGERPRINT));
    const [a, b] = (await Promise.all(sessions)).map(({ session }) => session);
    await store.find(a!, ticketFrom({ requestId: `a${n}` as never }), DEFAULT_MATCH_RULES);
    await store.find(b!, ticketFrom({ requestId: `b${n}` as never }), DEFAULT_MATCH_RULES);
    await store.close(a!);
    await store.close(b!);
  }
  expect(store.sizes()).toEqual({
    sessions: 0,
    tokens: 0,
    away: 0,
    sites: 0,
    waiting: 0,
    inQueue: 0,
    conversations: 0,
  });
});
