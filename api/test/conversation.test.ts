import type { FrameFault } from '../src/contract/frame.ts';
import { TIMES } from '@passerby/sdk/protocol';
import { describe, expect, test, vi } from 'vitest';
import { assertTalking, FREE, pairOf, siteOf, sizesOf, startTestApp, until, Visitor } from './harness.ts';

describe('conversation', () => {
  test('delivers messages to the peer, in order, and to nobody else', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using third = await Visitor.arrive(app);
    await third.find();
    for (let seq = 1; seq <= 50; seq++) pair.a.say(pair.conversationId, seq, `line ${seq}`);
    for (let seq = 1; seq <= 50; seq++) {
      expect(await pair.b.next('conversation:frame')).toMatchObject({ seq, body: { text: `line ${seq}` } });
    }
    expect(third.all('conversation:frame')).toEqual([]);
    expect(pair.a.all('conversation:frame')).toEqual([]);
  });

  test('a skip requeues one side and tells the other, for whom it looks like leaving', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    const next = { requestId: 'skip-request' as never };
    expect(await a.ask('conversation:leave', { conversationId, next })).toEqual({
      ok: true,
      data: { status: 'left', next: 'waiting' },
    });
    expect(await a.next('conversation:ended')).toEqual({ conversationId, reason: 'you_left' });
    expect(await b.next('conversation:ended')).toEqual({ conversationId, reason: 'peer_left' });
    await using third = await Visitor.arrive(app);
    await third.find();
    expect((await a.next('conversation:started')).conversationId).not.toBe(conversationId);
  });

  test('two simultaneous skips give one end each, and nobody is stuck', async () => {
    await using app = await startTestApp({ siteList: [siteOf('pk_test_shop', undefined, {}, FREE)] });
    await using pair = await pairOf(app);
    let { conversationId } = pair;
    for (let round = 0; round < 50; round++) {
      const skip = (visitor: Visitor, who: string) =>
        visitor.ask('conversation:leave', { conversationId, next: { requestId: `${who}-skip-${round}` as never } });
      await Promise.all([skip(pair.a, 'a'), skip(pair.b, 'b')]);
      const [one, two] = await Promise.all([pair.a.next('conversation:started'), pair.b.next('conversation:started')]);
      expect(one.conversationId).toBe(two.conversationId);
      ({ conversationId } = one);
    }
    expect(pair.a.all('conversation:ended')).toHaveLength(50);
    expect(pair.b.all('conversation:ended')).toHaveLength(50);
  });

  test('S14 frames of another conversation, of the last one, or of none are dropped and counted', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using other = await pairOf(app);
    await using lone = await Visitor.arrive(app);
    pair.a.say(other.conversationId, 1, 'not yours');
    lone.say(pair.conversationId, 1, 'not yours');
    await assertTalking(pair, 1);
    await pair.a.ask('conversation:leave', { conversationId: pair.conversationId });
    pair.b.say(pair.conversationId, 2, 'too late');
    await assertTalking(other, 1);
    expect(app.metrics.countOf('passerby_frames_dropped_total', { fault: 'not_paired' })).toBe(3);
    expect(
      [...pair.a.all('conversation:frame'), ...other.a.all('conversation:frame')].map(({ body }) => body['text']),
    ).toEqual(['b1', 'b1']);
  });

  test.each<[string, object, FrameFault]>([
    ['a text too long', { kind: 'text', text: 'x'.repeat(2_001) }, 'too_large'],
    ['a body too large', { kind: 'blob', data: 'x'.repeat(17_000) }, 'too_large'],
    ['a body without a kind', { text: 'hi' }, 'malformed'],
  ])('%s is dropped and counted, the pair talks on', async (_, body, fault) => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    pair.a.socket.emit('conversation:frame', { conversationId: pair.conversationId, run: 'r', seq: 1, ack: 0, body });
    await assertTalking(pair, 1);
    expect(app.metrics.countOf('passerby_frames_dropped_total', { fault })).toBe(1);
  });

  test('a body nested as deep as its size permits is harmless', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    const body = `{"kind":"x","deep":${'['.repeat(8_000)}${']'.repeat(8_000)}}`;
    const frame = `{"conversationId":"${pair.conversationId}","run":"r","seq":1,"ack":0,"body":${body}}`;
    // By hand: the client library itself cannot send what is nested so deep.
    pair.a.socket.io.engine.write(`2["conversation:frame",${frame}]`);
    await assertTalking(pair, 1);
  });

  test('ends as idle for both without a message, typing not counted', async () => {
    await using app = await startTestApp({ siteList: [siteOf('pk_test_shop', undefined, { inactivityMs: 150 })] });
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    const typing = setInterval(() => {
      a.socket.emit('conversation:frame', {
        conversationId,
        run: 'r',
        seq: 0,
        ack: 0,
        body: { kind: 'typing', on: true },
      });
    }, 20);
    try {
      expect(await a.next('conversation:ended')).toEqual({ conversationId, reason: 'idle' });
      expect(await b.next('conversation:ended')).toEqual({ conversationId, reason: 'idle' });
    } finally {
      clearInterval(typing);
    }
    expect(a.all('conversation:ended')).toHaveLength(1);
  });

  test('does not end while one of the two sends messages', async () => {
    let now = Date.now();
    const siteList = [siteOf('pk_test_shop', undefined, { inactivityMs: 400 })];
    await using app = await startTestApp({ siteList, clock: () => now });
    await using pair = await pairOf(app);
    const sweep = vi.spyOn(app.store, 'sweep');
    const swept = () => vi.waitFor(() => expect(sweep.mock.calls.length).toBeGreaterThan(1), { timeout: 60_000 });
    for (let seq = 1; seq <= 12; seq++) {
      now += 300;
      pair.a.say(pair.conversationId, seq, 'still here');
      await pair.b.next('conversation:frame');
      sweep.mockClear();
      await swept();
    }
    expect(pair.b.all('conversation:ended')).toEqual([]);
    now += 500;
    expect(await pair.b.next('conversation:ended')).toMatchObject({ reason: 'idle' });
  });

  test('a block looks like leaving, and the two are not matched again', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    expect(await a.ask('conversation:block', { conversationId })).toEqual({ ok: true, data: { status: 'blocked' } });
    expect(await b.next('conversation:ended')).toEqual({ conversationId, reason: 'peer_left' });
    await a.find();
    expect(await b.find()).toEqual({ ok: true, data: { status: 'waiting' } });
  });
});

describe('lost connection', () => {
  test('keeps the conversation: the peer is told, and both continue after the resume', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app, {});
    const { a, b, conversationId } = pair;
    const { resume } = a.ready;
    a.cut();
    expect(await b.next('conversation:peer')).toEqual({ conversationId, presence: 'away' });
    await using back = await Visitor.arrive(app, { auth: { resume } });
    expect(back.ready).toMatchObject({ recovered: true, state: { status: 'chatting', peer: 'here' } });
    expect(await b.next('conversation:peer')).toEqual({ conversationId, presence: 'here' });
    b.say(conversationId, 1, 'welcome back');
    expect(await back.next('conversation:frame')).toMatchObject({ body: { text: 'welcome back' } });
  });

  test('a token whose successor has arrived is void, and opens a new session', async () => {
    await using app = await startTestApp();
    await using first = await Visitor.arrive(app);
    const auth = { resume: first.ready.resume };
    first.cut();
    await using second = await Visitor.arrive(app, { auth });
    await until(() => sizesOf(app).tokens === 1, 'the token before is void');
    await using third = await Visitor.arrive(app, { auth });
    expect([second.ready.recovered, third.ready.recovered]).toEqual([true, false]);
    expect(second.all('session:superseded')).toEqual([]);
  });

  test('cut again before the next token arrived, resumes the conversation with the present token', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    const auth = { resume: pair.a.ready.resume };
    pair.a.cut();
    for (let attempt = 0; attempt < 3; attempt++) {
      await using lost = await Visitor.arrive(app, { auth, doesConfirm: false });
      lost.cut();
    }
    await using back = await Visitor.arrive(app, { auth });
    expect(back.ready).toMatchObject({ recovered: true, state: { status: 'chatting' } });
    await assertTalking({ ...pair, a: back }, 1);
  });

  test('a session resumed elsewhere tells and closes the old socket', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    const { resume } = pair.a.ready;
    const closed = new Promise((resolve) => pair.a.socket.once('disconnect', resolve));
    await using back = await Visitor.arrive(app, { auth: { resume } });
    await closed;
    expect(pair.a.all('session:superseded')).toHaveLength(1);
    pair.b.say(pair.conversationId, 1, 'who hears?');
    expect(await back.next('conversation:frame')).toMatchObject({ body: { text: 'who hears?' } });
    expect(pair.a.all('conversation:frame')).toEqual([]);
  });

  test('ends the conversation as peer_lost after the grace period', async () => {
    let now = Date.now();
    await using app = await startTestApp({ clock: () => now });
    await using pair = await pairOf(app);
    pair.a.cut();
    await pair.b.next('conversation:peer');
    now += TIMES.graceMs;
    expect(await pair.b.next('conversation:ended')).toMatchObject({ reason: 'peer_lost' });
  });

  test('session:close deletes the session at once, and closes the connection after its answer', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    const closed = pair.a.ask('session:close', {});
    const found = pair.a.find();
    expect(await closed).toEqual({ ok: true, data: { status: 'closed' } });
    expect(await found).toMatchObject({ ok: false, error: { code: 'session_gone' } });
    expect(await pair.b.next('conversation:ended')).toMatchObject({ reason: 'peer_left' });
    await until(() => !pair.a.socket.connected, 'the connection is closed');
    await using back = await Visitor.arrive(app, { auth: { resume: pair.a.ready.resume } });
    expect(back.ready.recovered).toBe(false);
  });
});

describe('the service', () => {
  test('holds nothing for visitors who closed', async () => {
    await using app = await startTestApp();
    for (let round = 0; round < 20; round++) {
      await using pair = await pairOf(app);
      await pair.a.ask('session:close', {});
      await pair.b.ask('session:close', {});
    }
    await until(() => app.held().connections === 0, 'no connection is held');
    expect(app.held()).toMatchObject({ connections: 0, sockets: 0, seats: 0 });
    expect(sizesOf(app)).toEqual({
      sessions: 0,
      tokens: 0,
      away: 0,
      sites: 0,
      waiting: 0,
      inQueue: 0,
      conversations: 0,
    });
  });

  test('tells the number of visitors, in buckets', async () => {
    await using app = await startTestApp();
    await using first = await Visitor.arrive(app);
    expect(await first.next('site:presence')).toEqual({ online: { min: 0, max: 1 } });
    await using second = await Visitor.arrive(app);
    expect(await second.next('site:presence')).toEqual({ online: { min: 2, max: 5 } });
    await until(() => first.all('site:presence').at(-1)!.online.min === 2, 'the first hears of the second');
  });

  test('drains: tells visitors, refuses new ones, and stops once they have left', async () => {
    await using app = await startTestApp();
    const visitor = await Visitor.arrive(app);
    const drained = app.drain();
    expect(await visitor.next('session:draining')).toEqual({ reconnectAfterMs: 4_000 });
    expect(await (await fetch(`${app.url}/healthz`)).json()).toEqual({ status: 'draining', store: 'memory' });
    await expect(Visitor.arrive(app)).rejects.toThrow();
    visitor.socket.disconnect();
    await drained;
    await expect(fetch(`${app.url}/healthz`)).rejects.toThrow();
  });
});
