import { describe, expect, test } from 'vitest';
import { FREE, requestId, siteOf, SHOP, startTestApp, until, Visitor } from '../harness.ts';

const RULES = { version: '2', text: 'Be kind.' };
const ageBands = ['13-17', '18+'];
const asking = (policy: Parameters<typeof siteOf>[2]) => ({
  siteList: [siteOf(SHOP.key, undefined, policy, FREE)],
});

describe('site that requires consent before the first search', () => {
  test('says so in its policy, and refuses a search until it is given', async () => {
    await using app = await startTestApp(asking({ rules: RULES, ageBands }));
    await using visitor = await Visitor.arrive(app);
    expect(visitor.ready).toMatchObject({
      policy: { rules: RULES, ageBands },
      agreed: { rules: null, ageBand: null },
    });
    const refused = { ok: false, error: { code: 'agreement_needed' } };
    expect(await visitor.find()).toMatchObject(refused);
    expect(await visitor.ask('session:agree', { rules: '2' })).toMatchObject({ ok: true });
    expect(await visitor.find()).toMatchObject(refused);
    expect(await visitor.ask('session:agree', { ageBand: '18+' })).toMatchObject({ ok: true });
    expect(await visitor.find()).toMatchObject({ ok: true, data: { status: 'waiting' } });
  });

  test.each([
    ['an older version of the rules', { rules: '1' }],
    ['a band it does not have', { ageBand: 'adult' }],
  ])('accepts no %s', async (_, agreed) => {
    await using app = await startTestApp(asking({ rules: RULES, ageBands }));
    await using visitor = await Visitor.arrive(app);
    expect(await visitor.ask('session:agree', agreed)).toMatchObject({ ok: false, error: { code: 'bad_request' } });
  });

  test('binds the band to the session, through a resume too', async () => {
    await using app = await startTestApp(asking({ ageBands }));
    const visitor = await Visitor.arrive(app);
    await visitor.ask('session:agree', { ageBand: '13-17' });
    visitor.cut();
    await using back = await Visitor.arrive(app, { auth: { resume: visitor.ready.resume } });
    expect(back.ready).toMatchObject({ recovered: true, agreed: { ageBand: '13-17' } });
    const other = await back.ask('session:agree', { ageBand: '18+' });
    expect(other).toMatchObject({ ok: false, error: { code: 'age_band_fixed' } });
    expect(await back.find()).toMatchObject({ ok: true });
  });
});

describe('S16 minors and adults', () => {
  test('are never matched with each other, however long they wait, and are matched within their band', async () => {
    await using app = await startTestApp(asking({ ageBands }));
    const arrive = async (ageBand: string) => {
      const visitor = await Visitor.arrive(app);
      await visitor.ask('session:agree', { ageBand });
      return visitor;
    };
    await using minor = await arrive('13-17');
    await using adult = await arrive('18+');
    expect(await minor.find()).toMatchObject({ data: { status: 'waiting' } });
    expect(await adult.find()).toMatchObject({ data: { status: 'waiting' } });
    await using otherAdult = await arrive('18+');
    expect(await otherAdult.find()).toMatchObject({ data: { status: 'matched' } });
    await adult.next('conversation:started');
    expect(minor.all('conversation:started')).toEqual([]);
  });

  test('are not matched by a skip either', async () => {
    await using app = await startTestApp(asking({ ageBands }));
    const visitors: Visitor[] = [];
    for (const ageBand of ['13-17', '18+', '18+']) {
      const visitor = await Visitor.arrive(app);
      await visitor.ask('session:agree', { ageBand });
      await visitor.find();
      visitors.push(visitor);
    }
    const [minor, one, two] = visitors as unknown as readonly [Visitor, Visitor, Visitor];
    const { conversationId } = await one.next('conversation:started');
    await two.ask('session:close', {});
    await one.next('conversation:ended');
    expect(await one.ask('conversation:leave', { conversationId, next: { requestId: requestId() } })).toMatchObject({
      data: { next: 'waiting' },
    });
    expect(minor.all('conversation:started')).toEqual([]);
    await Promise.all(visitors.map((visitor) => visitor[Symbol.asyncDispose]()));
    await until(() => app.held().connections === 0, 'everybody has gone');
  });
});
