import { describe, expect, test, vi } from 'vitest';
import type { BanTerm } from '../../src/moderation/bans.ts';
import { directoryOf, type SiteDirectory } from '../../src/sites/site-directory.ts';
import type { App } from '../../src/app.ts';
import { FREE, SHOP, siteOf, startTestApp, until, Visitor } from '../harness.ts';

/** Service whose keys and bans a test changes while it runs. */
async function changing() {
  const shop = siteOf(SHOP.key, undefined, {}, FREE);
  const changed = new Set<() => void>();
  let sites: SiteDirectory = directoryOf([shop]);
  /** Values looked up, in order. */
  const asked: string[] = [];
  let ban: BanTerm | null = null;
  const tell = () => changed.forEach((call) => call());
  const app = await startTestApp({
    sites: {
      find: (key) => sites.find(key),
      byId: (id) => sites.byId(id),
      rulesOf: (id) => sites.rulesOf(id),
    },
    config: { TRUSTED_HOPS: 1 },
    bans: {
      findBan: (_site, _kind, value) => {
        if (!asked.includes(value)) asked.push(value);
        return value === asked[0] ? ban : null;
      },
    },
    onAccessChange: (call) => {
      changed.add(call);
      return () => void changed.delete(call);
    },
  });
  return {
    app,
    /** Admits everybody again. */
    reset: () => {
      sites = directoryOf([shop]);
      ban = null;
    },
    revoke: () => {
      sites = directoryOf([]);
      tell();
    },
    /** Bans the address of the first visitor. */
    ban: (term: BanTerm) => {
      ban = term;
      tell();
    },
    [Symbol.asyncDispose]: () => app.stop(),
  };
}

type Changing = Awaited<ReturnType<typeof changing>>;

/** Two visitors with different addresses in one conversation. */
async function meet(app: App) {
  const a = await Visitor.arrive(app, { from: '203.0.113.1' });
  const b = await Visitor.arrive(app, { from: '203.0.113.2' });
  await a.find();
  await b.find();
  const { conversationId } = await a.next('conversation:started');
  await b.next('conversation:started');
  return { a, b, conversationId };
}

describe('revoked key', () => {
  test('closes the sockets of its pages with the reason, and is refused', async () => {
    await using service = await changing();
    const { a, b } = await meet(service.app);
    service.revoke();
    for (const visitor of [a, b]) {
      expect(await visitor.next('session:refused')).toMatchObject({ code: 'key_revoked' });
      await until(() => !visitor.socket.connected, 'the connection is closed');
    }
    await expect(Visitor.arrive(service.app, { auth: { resume: a.ready.resume } })).rejects.toThrow();
    await until(() => service.app.held().connections === 0, 'nobody is left');
  });
});

describe('change during an arrival', () => {
  test.each([
    ['a key is revoked', (service: Changing) => service.revoke(), 'key_revoked'],
    ['a ban comes', (service: Changing) => service.ban({ until: null, isAutomatic: false }), 'banned'],
    ['a ban comes by itself', (service: Changing) => service.ban({ until: null, isAutomatic: true }), 'banned'],
  ] as const)('applies to the arriving visitor too: %s', async (_, change, code) => {
    await using service = await changing();
    const first = await Visitor.arrive(service.app, { from: '203.0.113.1' });
    first.cut();
    for (const auth of [{}, { resume: first.ready.resume }]) {
      service.reset();
      const { open, resume } = service.app.store;
      const slow = vi.spyOn(service.app.store, 'resume' in auth ? 'resume' : 'open').mockImplementation((async (
        ...args: never[]
      ) => {
        const outcome = await Reflect.apply('resume' in auth ? resume : open, service.app.store, args);
        change(service);
        return outcome;
      }) as never);
      const visitor = new Visitor(service.app, { from: '203.0.113.1', auth });
      expect(await visitor.next('session:refused')).toMatchObject({ code });
      await until(() => !visitor.socket.connected, 'the connection is closed');
      slow.mockRestore();
    }
  });

  test('an automatic ban permits resuming a conversation, and nothing else', async () => {
    await using service = await changing();
    const { a, b, conversationId } = await meet(service.app);
    service.ban({ until: null, isAutomatic: true });
    a.cut();
    await b.next('conversation:peer');
    await using back = await Visitor.arrive(service.app, {
      from: '203.0.113.1',
      auth: { resume: a.ready.resume },
    });
    expect(back.ready).toMatchObject({ state: { status: 'chatting' } });
    back.say(conversationId, 1, 'still here');
    await b.next('conversation:frame');
    await back.ask('conversation:leave', { conversationId });
    back.cut();
    const again = new Visitor(service.app, { from: '203.0.113.1', auth: { resume: back.ready.resume } });
    expect(await again.next('session:refused')).toMatchObject({ code: 'banned' });
  });
});

describe('ban', () => {
  test('by an operator disconnects the visitor at once with the time left; the peer sees peer_left', async () => {
    await using service = await changing();
    const { a, b, conversationId } = await meet(service.app);
    service.ban({ until: Date.now() + 60_000, isAutomatic: false });
    const { code, retryAfterMs } = await a.next('session:refused');
    expect(code).toBe('banned');
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(await b.next('conversation:ended')).toEqual({ conversationId, reason: 'peer_left' });
    expect(b.all('session:refused')).toEqual([]);
  });

  test('by the service itself keeps the conversation and refuses the next search', async () => {
    await using service = await changing();
    const { a, b, conversationId } = await meet(service.app);
    service.ban({ until: Date.now() + 60_000, isAutomatic: true });
    a.say(conversationId, 1, 'still here');
    expect(await b.next('conversation:frame')).toMatchObject({ body: { text: 'still here' } });
    await a.ask('conversation:leave', { conversationId });
    expect(await a.find()).toMatchObject({ ok: false, error: { code: 'banned' } });
  });

  test('refuses new sessions', async () => {
    await using service = await changing();
    service.ban({ until: null, isAutomatic: true });
    const banned = Visitor.arrive(service.app, { from: '203.0.113.1' });
    await expect(banned).rejects.toMatchObject({ data: { code: 'banned' } });
    await using other = await Visitor.arrive(service.app, { from: '203.0.113.2' });
    expect(await other.find()).toMatchObject({ ok: true });
  });
});
