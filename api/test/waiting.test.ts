import { expect, test } from 'vitest';
import { siteOf, startTestApp, Visitor } from './harness.ts';

test('who waits is told how the wait stands, until it is over', async () => {
  let now = Date.now();
  await using app = await startTestApp({ clock: () => now });
  await using visitor = await Visitor.arrive(app);
  await visitor.find({ topic: '/news/a' });
  now += 2_000;
  expect(await visitor.next('match:status')).toEqual({ waitingForMs: 2_000, reach: 'section', widen: [] });
  now += 2_000;
  expect(await visitor.next('match:status')).toEqual({ waitingForMs: 4_000, reach: 'site', widen: [] });
  await visitor.ask('match:cancel', {});
  now += 10_000;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(visitor.all('match:status')).toHaveLength(2);
});

test('two who only fit after an expansion meet within a sweep of its due time, with nobody else arriving', async () => {
  let now = Date.now();
  await using app = await startTestApp({ clock: () => now });
  await using a = await Visitor.arrive(app);
  await using b = await Visitor.arrive(app);
  await a.find({ topic: '/news/a' });
  expect(await b.find({ topic: '/sport/b' })).toEqual({ ok: true, data: { status: 'waiting' } });
  now += 3_000;
  const [one, two] = await Promise.all([a.next('conversation:started'), b.next('conversation:started')]);
  expect(one.conversationId).toBe(two.conversationId);
});

test('a match whose other side never confirms falls through, and who did confirm is back in line', async () => {
  let now = Date.now();
  await using app = await startTestApp({ clock: () => now, siteList: [siteOf('pk_test_shop')] });
  await using a = await Visitor.arrive(app);
  await using dead = await Visitor.arrive(app);
  dead.socket.offAny();
  await a.find();
  await dead.find();
  const { conversationId } = await a.next('conversation:started');
  await new Promise((resolve) => setTimeout(resolve, 50));
  now += 3_000;
  expect(await a.next('conversation:ended')).toEqual({ conversationId, reason: 'unconfirmed' });
  await using b = await Visitor.arrive(app);
  expect(await b.find()).toEqual({ ok: true, data: { status: 'matched' } });
  await a.next('conversation:started');
  expect(a.all('conversation:ended')).toHaveLength(1);
});
