import { describe, expect, test } from 'vitest';
import type { BanTerm } from '../../src/safety/bans.ts';
import { directoryOf, type SiteDirectory } from '../../src/sites/site-directory.ts';
import { FREE, pairOf, SHOP, siteOf, startTestApp, until, Visitor } from '../harness.ts';

/** A service whose keys and bans a test changes while it runs. */
async function changing() {
  const shop = siteOf(SHOP.key, undefined, {}, FREE);
  const changed = new Set<() => void>();
  let sites: SiteDirectory = directoryOf([shop]);
  let ban: BanTerm | null = null;
  const tell = () => changed.forEach((call) => call());
  const app = await startTestApp({
    sites: {
      find: (key) => sites.find(key),
      byId: (id) => sites.byId(id),
      rulesOf: (id) => sites.rulesOf(id),
    },
    bans: { findBan: () => ban },
    onAccessChange: (call) => {
      changed.add(call);
      return () => void changed.delete(call);
    },
  });
  return {
    app,
    revoke: () => {
      sites = directoryOf([]);
      tell();
    },
    ban: (term: BanTerm) => {
      ban = term;
      tell();
    },
    [Symbol.asyncDispose]: () => app.stop(),
  };
}

describe('a key that is no longer good', () => {
  test('closes the sockets of its pages with the reason, and lets nobody in', async () => {
    await using service = await changing();
    const { a, b } = await pairOf(service.app);
    service.revoke();
    for (const visitor of [a, b]) {
      expect(await visitor.next('session:refused')).toMatchObject({ code: 'key_revoked' });
      await until(() => !visitor.socket.connected, 'the connection is closed');
    }
    await expect(Visitor.arrive(service.app, { auth: { resume: a.ready.resume } })).rejects.toThrow();
    await until(() => service.app.held().connections === 0, 'nobody is left');
  });
});

describe('a ban', () => {
  test('by an operator shows the visitor out at once with the time left; the peer sees them leave', async () => {
    await using service = await changing();
    const { a, b, conversationId } = await pairOf(service.app);
    service.ban({ until: Date.now() + 60_000, isAutomatic: false });
    const { code, retryAfterMs } = await a.next('session:refused');
    expect(code).toBe('banned');
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(b.all('conversation:ended')).toEqual([{ conversationId, reason: 'peer_left' }]);
  });

  test('by the service itself lets a conversation be and refuses the next search', async () => {
    await using service = await changing();
    const { a, b, conversationId } = await pairOf(service.app);
    service.ban({ until: Date.now() + 60_000, isAutomatic: true });
    a.say(conversationId, 1, 'still here');
    expect(await b.next('conversation:frame')).toMatchObject({ body: { text: 'still here' } });
    await a.ask('conversation:leave', { conversationId });
    expect(await a.find()).toMatchObject({ ok: false, error: { code: 'banned' } });
  });

  test('keeps new sessions out', async () => {
    await using service = await changing();
    service.ban({ until: null, isAutomatic: true });
    await expect(Visitor.arrive(service.app)).rejects.toMatchObject({ data: { code: 'banned' } });
  });
});
