import { type ConversationId, type RequestName, type RequestPayload } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { assertTalking, FREE, pairOf, requestId, siteOf, SHOP, startTestApp, Visitor } from '../harness.ts';

describe('S13 cross-site leaks', () => {
  const NEVER = `c_${'x'.repeat(22)}` as ConversationId;
  const about = (conversationId: ConversationId): { readonly [Name in RequestName]?: RequestPayload<Name> } => ({
    'conversation:leave': { conversationId },
    'conversation:block': { conversationId },
    'conversation:report': { conversationId, reason: 'spam' },
  });

  test('an id of this site is answered on another one like an unknown id, without an effect', async () => {
    const other = siteOf('pk_test_other', undefined, {}, FREE);
    await using app = await startTestApp({ siteList: [siteOf(SHOP.key, undefined, {}, FREE), other] });
    await using pair = await pairOf(app);
    await using foreign = await Visitor.arrive(app, { site: other.key });
    const told = foreign.told.length;
    for (const name of Object.keys(about(NEVER)) as RequestName[]) {
      const answers = [];
      for (const id of [pair.conversationId, NEVER]) {
        // Each refusal has an id of its own.
        answers.push(JSON.stringify(await foreign.send(name, about(id)[name])).replace(/req_[\w-]+/, ''));
      }
      expect(answers[0], name).toBe(answers[1]);
    }
    foreign.say(pair.conversationId, 1, 'let me in');
    await assertTalking(pair, 1);
    const names = foreign.told.slice(told).map(({ name }) => name);
    expect(names.filter((name) => name !== 'site:presence')).toEqual([]);
    for (const { a, b } of [pair]) expect([...a.all('conversation:ended'), ...b.all('conversation:ended')]).toEqual([]);
  });

  test('a resume token of this site is unknown on another, and stays valid here', async () => {
    const other = siteOf('pk_test_other');
    await using app = await startTestApp({ siteList: [SHOP, other] });
    const visitor = await Visitor.arrive(app);
    const auth = { resume: visitor.ready.resume };
    await using thief = await Visitor.arrive(app, { site: other.key, auth });
    expect(thief.ready).toMatchObject({ recovered: false, state: { status: 'idle' } });
    visitor.cut();
    await using back = await Visitor.arrive(app, { auth });
    expect(back.ready.recovered).toBe(true);
  });

  test('visitors of two sites are never matched, whatever their criteria', async () => {
    const other = siteOf('pk_test_other', undefined, {}, FREE);
    await using app = await startTestApp({ siteList: [siteOf(SHOP.key, undefined, {}, FREE), other] });
    await using a = await Visitor.arrive(app);
    await using b = await Visitor.arrive(app, { site: other.key });
    for (const visitor of [a, b, a, b]) {
      const answer = await visitor.ask('match:find', { requestId: requestId(), interests: ['jazz'], topic: '/a' });
      expect(answer).toMatchObject({ data: { status: 'waiting' } });
    }
  });
});

describe('S12 address of a visitor', () => {
  const ADDRESS = '198.51.100.77';
  /** Forms of the address: as it is, in hexadecimal, in base64, as a number. */
  const FORMS = [
    ADDRESS,
    Buffer.from([198, 51, 100, 77]).toString('hex'),
    Buffer.from(ADDRESS).toString('base64url').replace(/=+$/, ''),
    String(((198 << 24) | (51 << 16) | (100 << 8) | 77) >>> 0),
  ];

  test.each(['websocket', 'polling'] as const)('is in nothing that the peer receives over %s', async (transport) => {
    await using app = await startTestApp({
      config: { TRUSTED_HOPS: 1 },
      siteList: [siteOf(SHOP.key, undefined, {}, FREE)],
    });
    const transports = [transport];
    await using a = await Visitor.arrive(app, { from: ADDRESS, transports });
    await using b = await Visitor.arrive(app, { from: '203.0.113.5', transports });
    const packets: string[] = [];
    b.socket.io.engine.on('packet', (packet: unknown) => packets.push(JSON.stringify(packet)));
    await a.find();
    await b.find();
    const { conversationId } = await a.next('conversation:started');
    a.say(conversationId, 1, 'hello');
    await b.next('conversation:frame');
    a.cut();
    await b.next('conversation:peer');
    await using back = await Visitor.arrive(app, { from: ADDRESS, transports, auth: { resume: a.ready.resume } });
    await b.next('conversation:peer');
    await back.ask('conversation:report', { conversationId, reason: 'spam' });
    await back.ask('conversation:block', { conversationId });
    await b.next('conversation:ended');
    const got = packets.join('\n');
    expect(got).toContain(conversationId);
    for (const form of FORMS) expect(got).not.toContain(form);
  });
});
