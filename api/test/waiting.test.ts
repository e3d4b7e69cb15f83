import { describe, expect, it, test } from 'vitest';
import { siteOf, startTestApp, Visitor } from './harness.ts';

test('a waiting visitor gets match:status until the wait is over', async () => {
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

test('two who fit only after an expansion are matched within a sweep of its due time, without an arrival', async () => {
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

test('a match that one side never confirms falls through, and returns the other to the queue', async () => {
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

describe('S34 waiting visitor', () => {
  /** Returns the `widen` of an asker while these others wait, each for a group without members. */
  async function toldBeside(
    others: readonly { readonly from: string; readonly languages: string[] }[],
    speaks: string,
  ) {
    let now = 5_000;
    await using app = await startTestApp({ clock: () => now, config: { TRUSTED_HOPS: 1 } });
    for (const { from, languages } of others) {
      const other = await Visitor.arrive(app, { from });
      await other.find({ languages, seeks: ['nobody'] });
    }
    const asker = await Visitor.arrive(app, { from: '2001:db8:aa:1::1' });
    await asker.find({ languages: [speaks], seeks: ['nobody'] });
    now += 2_000;
    const first = (await asker.next('match:status')).widen;
    now += 4_000;
    return [first, (await asker.next('match:status')).widen];
  }
  const accomplices = Array.from({ length: 6 }, (_, n) => ({ from: `2001:db8:aa:${n}ff::1`, languages: ['qa'] }));
  const accomplicesElsewhere = Array.from({ length: 6 }, (_, n) => ({
    from: `2001:db8:bb:${n}ff::1`,
    languages: ['qb'],
  }));
  const victim = { from: '203.0.113.9', languages: ['sw'] };

  it('alone is not revealed to accomplices of one network, nor is the language they speak', async () => {
    const told = await Promise.all([
      toldBeside([...accomplices, ...accomplicesElsewhere], 'qc'),
      toldBeside([...accomplices, ...accomplicesElsewhere, victim], 'qc'),
      toldBeside([...accomplices, ...accomplicesElsewhere, victim], 'sw'),
    ]);
    expect(told).toEqual([
      [[], []],
      [[], []],
      [[], []],
    ]);
  });

  it('is told of others once they wait from five networks', async () => {
    const crowd = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => ({ from: `203.0.113.${n}`, languages: ['sw'] }));
    expect(await toldBeside(crowd, 'en')).toEqual([
      [{ what: 'languages', atLeast: 5 }],
      [{ what: 'groups', atLeast: 5 }],
    ]);
  });
});
