import { TIMES, type ConversationId } from '@passerby/sdk/protocol';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { auditedBans } from '../../src/moderation/auto-bans.ts';
import type { Records } from '../../src/records/records.ts';
import type { SiteId } from '../../src/domain/ids.ts';
import { FREE, SHOP, siteOf, startTestApp, type TestAppParts, until, Visitor } from '../harness.ts';
import { tempRecords } from '../temp-records.ts';

let kept: Awaited<ReturnType<typeof tempRecords>>;
let records: Records;
let skippedMs: number;
beforeEach(async () => {
  skippedMs = 0;
  kept = await tempRecords();
  records = kept.records;
});
afterEach(() => kept[Symbol.asyncDispose]());

const clock = () => Date.now() + skippedMs;
const start = (policy: Parameters<typeof siteOf>[2] = {}, parts: TestAppParts = {}) =>
  startTestApp({
    config: { TRUSTED_HOPS: 1 },
    siteList: [siteOf(SHOP.key, undefined, policy, FREE)],
    records: { reports: records.reports, bans: auditedBans(records) },
    clock,
    ...parts,
  });
/** Two visitors in a conversation, with different addresses; the second has sent a message. */
async function meet(app: App, ...from: readonly [string, string]) {
  const met = await meetInSilence(app, ...from);
  met.b.say(met.conversationId, 1, 'hello');
  await met.a.next('conversation:frame');
  return met;
}
/** Two visitors in a conversation without messages. */
async function meetInSilence(app: App, ...from: readonly [string, string]) {
  const [a, b] = [await Visitor.arrive(app, { from: from[0] }), await Visitor.arrive(app, { from: from[1] })];
  await a.find();
  await b.find();
  const { conversationId } = await a.next('conversation:started');
  await b.next('conversation:started');
  return { a, b, conversationId };
}
const reports = async () => (await records.reports.list({ max: 100 })).items;
const bansInForce = async () => (await records.bans.active(clock(), { max: 100 })).items;
const REPORTED = { ok: true, data: { status: 'reported' } };
const TOO_LATE = { ok: false, error: { code: 'not_in_conversation' } };

describe('report', () => {
  test('contains the reason, and both visitors as distinct hashes; the peer is not told', async () => {
    await using app = await start();
    const { a, b, conversationId } = await meet(app, '203.0.113.1', '203.0.113.2');
    const told = b.told.length;
    expect(await a.ask('conversation:report', { conversationId, reason: 'spam', comment: ' sells things ' })).toEqual(
      REPORTED,
    );
    const [report, ...more] = await reports();
    expect(more).toEqual([]);
    expect(report).toMatchObject({
      site: SHOP.id,
      conversationId,
      reason: 'spam',
      comment: 'sells things',
      messages: null,
      status: 'open',
    });
    expect(report!.reporter).not.toBe(report!.reportedAddress);
    a.say(conversationId, 1, 'on we talk');
    await b.next('conversation:frame');
    const names = b.told.slice(told).map(({ name }) => name);
    expect(names.filter((name) => name !== 'site:presence')).toEqual(['conversation:frame']);
  });

  test('is possible after the peer left, until fifteen minutes after the end', async () => {
    await using app = await start();
    const { a, b, conversationId } = await meet(app, '203.0.113.1', '203.0.113.2');
    await b.ask('session:close', {});
    await a.next('conversation:ended');
    skippedMs = TIMES.reportMs - 5_000;
    expect(await a.ask('conversation:report', { conversationId, reason: 'hate' })).toEqual(REPORTED);
    skippedMs = TIMES.reportMs + 5_000;
    expect(await a.ask('conversation:report', { conversationId, reason: 'threat' })).toMatchObject(TOO_LATE);
    expect(await reports()).toHaveLength(1);
  });

  test('is stored once if it is made twice', async () => {
    await using app = await start();
    const { a, conversationId } = await meet(app, '203.0.113.1', '203.0.113.2');
    for (const reason of ['spam', 'hate'] as const) {
      expect(await a.ask('conversation:report', { conversationId, reason })).toEqual(REPORTED);
    }
    expect(await reports()).toMatchObject([{ reason: 'spam' }]);
  });

  test('is refused for a conversation the visitor was not in', async () => {
    await using app = await start();
    const { conversationId } = await meet(app, '203.0.113.1', '203.0.113.2');
    await using third = await Visitor.arrive(app, { from: '203.0.113.3' });
    expect(await third.ask('conversation:report', { conversationId, reason: 'spam' })).toMatchObject(TOO_LATE);
    const never = `c_${'x'.repeat(22)}` as ConversationId;
    expect(await third.ask('conversation:report', { conversationId: never, reason: 'spam' })).toMatchObject(TOO_LATE);
    expect(await reports()).toEqual([]);
  });

  test.each([
    ['keeps no message where the site keeps no history', {}, null],
    [
      'keeps what was handed over where the site does',
      { history: 'reports' as const },
      [{ from: 'peer', text: 'boo' }],
    ],
  ])('%s', async (_, policy, kept) => {
    await using app = await start(policy);
    const { a, conversationId } = await meet(app, '203.0.113.1', '203.0.113.2');
    const messages = [{ from: 'peer', text: 'boo' }] as const;
    expect(await a.ask('conversation:report', { conversationId, reason: 'threat', messages })).toEqual(REPORTED);
    expect(await reports()).toMatchObject([{ messages: kept }]);
  });
});

describe('S17 visitor reported by many', () => {
  /** Returns the bans in the database. */
  function listed(): Pick<TestAppParts, 'bans'> & { refresh(): Promise<void> } {
    let bans: Awaited<ReturnType<typeof records.bans.active>>['items'] = [];
    return {
      bans: {
        findBan: (site: SiteId, kind, value, now) => {
          const found = bans.find((ban) => ban.site === site && ban.kind === kind && ban.value === value);
          return found !== undefined && (found.until ?? Infinity) > now
            ? { until: found.until, isAutomatic: true }
            : null;
        },
      },
      refresh: async () => void ({ items: bans } = await records.bans.active(clock(), { max: 100 })),
    };
  }

  test('by three different visitors finishes the conversation and is then banned, in any session', async () => {
    const list = listed();
    await using app = await start({}, list);
    for (const n of [1, 2, 3]) {
      const { a, b, conversationId } = await meet(app, `203.0.113.${n}`, '198.51.100.7');
      await a.ask('conversation:report', { conversationId, reason: 'harassment' });
      await list.refresh();
      a.say(conversationId, 1, 'still there?');
      await b.next('conversation:frame');
      await a.ask('session:close', {});
      await b.next('conversation:ended');
      const again = await b.find();
      if (n < 3) expect(again).toMatchObject({ ok: true });
      else expect(again).toMatchObject({ ok: false, error: { code: 'banned', retryAfterMs: expect.any(Number) } });
      await b.ask('session:close', {});
    }
    await expect(Visitor.arrive(app, { from: '198.51.100.7' })).rejects.toMatchObject({ data: { code: 'banned' } });
    skippedMs = 11 * 60_000;
    await using back = await Visitor.arrive(app, { from: '198.51.100.7' });
    expect(await back.find()).toMatchObject({ ok: true });
  });

  test('is reported once by one visitor who changes addresses', async () => {
    const list = listed();
    await using app = await start({}, list);
    const { a, b, conversationId } = await meet(app, '203.0.113.20', '198.51.100.9');
    await a.ask('conversation:report', { conversationId, reason: 'hate' });
    let { resume } = a.ready;
    for (const from of ['203.0.113.21', '203.0.113.22', '203.0.113.23']) {
      await using back = await Visitor.arrive(app, { from, auth: { resume } });
      expect(await back.ask('conversation:report', { conversationId, reason: 'hate' })).toEqual(REPORTED);
      resume = back.ready.resume;
    }
    expect(await reports()).toHaveLength(1);
    await b.ask('session:close', {});
    await list.refresh();
    await using again = await Visitor.arrive(app, { from: '198.51.100.9' });
    expect(await again.find()).toMatchObject({ ok: true });
  });

  test('is identified by the address they changed to during the conversation', async () => {
    await using app = await start();
    const { a, b, conversationId } = await meet(app, '203.0.113.1', '198.51.100.10');
    const before = await meet(app, '203.0.113.2', '198.51.100.11');
    await before.a.ask('conversation:report', { conversationId: before.conversationId, reason: 'hate' });
    await using _back = await Visitor.arrive(app, { from: '198.51.100.11', auth: { resume: b.ready.resume } });
    await a.ask('conversation:report', { conversationId, reason: 'hate' });
    const [first, second] = await reports();
    expect(second!.reportedAddress).toBe(first!.reportedAddress);
  });

  test('is not banned again by the same reports after the ban was lifted', async () => {
    const list = listed();
    await using app = await start({}, list);
    const talks = [];
    for (const n of [1, 2, 3]) {
      const { a, b, conversationId } = await meet(app, `203.0.113.3${n}`, '198.51.100.12');
      await a.ask('conversation:report', { conversationId, reason: 'harassment' });
      await b.ask('session:close', {});
      await a.next('conversation:ended');
      talks.push({ a, conversationId });
    }
    const [ban, ...more] = await bansInForce();
    expect(more).toEqual([]);
    await records.bans.lift(ban!.id, clock());
    for (const { a, conversationId } of talks) {
      expect(await a.ask('conversation:report', { conversationId, reason: 'harassment' })).toEqual(REPORTED);
    }
    expect(await bansInForce()).toEqual([]);
    const { items } = await records.audit.list({ max: 10 });
    expect(items).toMatchObject([{ actor: 'service', action: 'ban.add', subject: ban!.id }]);
  });

  test('is reported once by one visitor ten times', async () => {
    const list = listed();
    await using app = await start({}, list);
    for (let n = 0; n < 10; n++) {
      const { a, b, conversationId } = await meet(app, '203.0.113.9', '198.51.100.8');
      expect(await a.ask('conversation:report', { conversationId, reason: 'other' })).toEqual(REPORTED);
      await a.ask('session:close', {});
      await b.ask('session:close', {});
      await until(() => app.held().sockets === 0, 'both have gone');
    }
    await list.refresh();
    await using back = await Visitor.arrive(app, { from: '198.51.100.8' });
    expect(await back.find()).toMatchObject({ ok: true });
  });
});

describe('S33 report', () => {
  it('is kept but does not count while its subject has sent no message, typing excluded', async () => {
    await using app = await start();
    for (const n of [1, 2, 3, 4]) {
      const { a, b, conversationId } = await meetInSilence(app, `203.0.113.${n}`, '198.51.100.7');
      b.socket.emit('conversation:frame', {
        conversationId,
        run: 'r',
        seq: 0,
        ack: 0,
        body: { kind: 'typing', on: true },
      });
      await a.next('conversation:frame');
      expect(await a.ask('conversation:report', { conversationId, reason: 'sexual' })).toEqual(REPORTED);
      await a.ask('session:close', {});
      await b.ask('session:close', {});
    }
    expect((await reports()).map(({ counts }) => counts)).toEqual([false, false, false, false]);
    expect(await bansInForce()).toEqual([]);
  });

  it('counts once its subject has sent a message, also after the end and after the reporter resumed', async () => {
    await using app = await start();
    const { a, b, conversationId } = await meet(app, '203.0.113.1', '198.51.100.7');
    a.cut();
    await using back = await Visitor.arrive(app, { from: '203.0.113.1', auth: { resume: a.ready.resume } });
    await b.ask('session:close', {});
    await back.next('conversation:ended');
    expect(await back.ask('conversation:report', { conversationId, reason: 'sexual' })).toEqual(REPORTED);
    expect(await reports()).toMatchObject([{ counts: true }]);
  });

  it('does not count for a match that only one side confirmed', async () => {
    await using app = await start();
    await using a = await Visitor.arrive(app, { from: '203.0.113.1' });
    await using b = await Visitor.arrive(app, { from: '198.51.100.7', doesConfirm: false });
    await a.find();
    await b.find();
    const { conversationId } = await a.next('conversation:started');
    b.say(conversationId, 1, 'hello');
    await a.next('conversation:frame');
    await a.ask('conversation:report', { conversationId, reason: 'sexual' });
    expect(await reports()).toMatchObject([{ counts: false }]);
  });

  it('from many networks of one subscriber counts once, and those of three subscribers three times', async () => {
    await using app = await start();
    const reportFrom = async (from: string) => {
      const { a, b, conversationId } = await meet(app, from, '198.51.100.7');
      await a.ask('conversation:report', { conversationId, reason: 'sexual' });
      await a.ask('session:close', {});
      await b.ask('session:close', {});
    };
    for (const network of ['1', 'ff', '100', 'ff00']) await reportFrom(`2001:db8:aa:${network}::1`);
    expect((await reports()).map(({ counts }) => counts)).toEqual([true, true, true, true]);
    expect(await bansInForce()).toEqual([]);
    await reportFrom('2001:db8:ab::1');
    expect(await bansInForce()).toEqual([]);
    await reportFrom('2001:db8:ac::1');
    expect(await bansInForce()).toHaveLength(1);
  });

  it('contains the wider networks of both, so that an operator can ban more than a /64', async () => {
    await using app = await start();
    const { a, conversationId } = await meet(app, '2001:db8:aa:1::1', '2001:db8:bb:1::1');
    await a.ask('conversation:report', { conversationId, reason: 'sexual' });
    const neighbour = await meet(app, '2001:db8:aa:ff00::1', '2001:db8:bb:ff00::1');
    await neighbour.a.ask('conversation:report', { conversationId: neighbour.conversationId, reason: 'sexual' });
    const [one, other] = await reports();
    expect(one!.reporterNetwork).toBe(other!.reporterNetwork);
    expect(one!.reporter).not.toBe(other!.reporter);
    expect(one!.reportedNetworks[0]).not.toBe(other!.reportedNetworks[0]);
    expect(one!.reportedNetworks[1]).toBe(other!.reportedNetworks[1]);
  });
});
