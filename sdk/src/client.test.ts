import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NOTHING_AGREED, info, POLICY, refusal, settle, SHARED, stage, staged } from '../test/client-fixture.ts';
import { ChatError } from './errors.ts';
import { type ConversationId, type OnlineBucket, TIMES } from './protocol/index.ts';
import type { ChatSnapshot } from './state.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const c1 = 'c1' as ConversationId;

describe('new client', () => {
  test('opens no connection, with an idle and offline snapshot', () => {
    const { chat, lines } = stage();
    expect(lines).toEqual([]);
    expect(chat.snapshot()).toEqual({
      state: { status: 'idle' },
      connection: { status: 'offline' },
      online: null,
      policy: null,
      agreed: null,
    });
  });

  test('refuses to send, skip and block', async () => {
    const { chat } = stage();
    expect(() => chat.send('hi')).toThrow(ChatError);
    expect(await refusal(chat.skip())).toMatchObject({ code: 'wrong_state' });
    expect(await refusal(chat.block())).toMatchObject({ code: 'wrong_state' });
  });

  test('ignores typing, leaving and cancelling', async () => {
    const { chat, lines } = stage();
    chat.typing(true);
    await chat.leave();
    expect(await chat.cancel()).toBe('cancelled');
    expect(lines).toEqual([]);
  });
});

describe('connect', () => {
  test('resolves once connected, with policy and online count in the snapshot, without a search', async () => {
    const scene = stage();
    const connected = scene.chat.connect();
    expect(scene.chat.snapshot().connection).toEqual({ status: 'connecting' });
    scene.line.ready();
    scene.line.push('site:presence', { online: { min: 1, max: 9 } });
    await connected;
    expect(scene.chat.snapshot()).toEqual({
      state: { status: 'idle' },
      connection: { status: 'connected' },
      online: { min: 1, max: 9 },
      policy: POLICY,
      agreed: NOTHING_AGREED,
    });
    expect(scene.line.log).toEqual([]);
    expect(scene.names()).toEqual(['online']);
  });

  test('opens one connection if called twice', async () => {
    const scene = stage();
    const both = Promise.all([scene.chat.connect(), scene.chat.connect()]);
    scene.line.ready();
    await both;
    await scene.chat.connect();
    expect(scene.lines).toHaveLength(1);
  });

  test('rejects with the refusal of the service, which is also the state', async () => {
    const scene = stage();
    const connected = refusal(scene.chat.connect());
    scene.line.lose({ kind: 'refused', error: { code: 'origin_refused', message: 'not this page' } });
    expect(await connected).toMatchObject({ code: 'origin_refused', message: 'not this page' });
    expect(scene.state()).toMatchObject({ status: 'refused', error: { code: 'origin_refused' } });
    expect(scene.chat.snapshot().connection).toEqual({ status: 'offline' });
    await settle(120_000);
    expect(scene.lines).toHaveLength(1);
    expect(scene.names()).toEqual([]);
  });

  test('tries once more after a refusal', async () => {
    const scene = stage();
    const refused = refusal(scene.chat.find());
    scene.line.lose({ kind: 'refused', error: { code: 'client_too_old', message: 'old' } });
    await refused;
    const found = scene.chat.find();
    expect(scene.status()).toBe('waiting');
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
    expect(scene.lines).toHaveLength(2);
  });

  test('can be aborted by a signal', async () => {
    const scene = stage();
    const controller = new AbortController();
    const connected = refusal(scene.chat.connect({ signal: controller.signal }));
    controller.abort();
    expect(await connected).toMatchObject({ code: 'aborted' });
    expect(await refusal(scene.chat.connect({ signal: controller.signal }))).toMatchObject({ code: 'aborted' });
  });
});

describe('find', () => {
  test('waits from the moment of the call, and resolves once the service has the wait', async () => {
    const scene = stage();
    let isFound = false;
    const found = scene.chat.find({ interests: ['tea'], topic: '/page' }).then(() => (isFound = true));
    expect(scene.state()).toEqual({ status: 'waiting', since: Date.now(), progress: null });
    scene.line.ready();
    await settle();
    expect(scene.line.log).toEqual([
      { name: 'match:find', payload: { interests: ['tea'], topic: '/page', requestId: expect.any(String) as string } },
    ]);
    expect(isFound).toBe(false);
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
  });

  test('shows the status of the wait, which corrects its beginning', async () => {
    const scene = stage();
    const found = scene.chat.find();
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
    await settle(2_000);
    const progress = { waitingForMs: 5_000, reach: 'section', etaMs: 3_000, widen: [] } as const;
    scene.line.push('match:status', progress);
    expect(scene.state()).toEqual({ status: 'waiting', since: Date.now() - 5_000, progress });
  });

  test('ignores a late status of a wait that is over', async () => {
    const scene = await staged();
    const before = scene.chat.snapshot();
    scene.line.push('match:status', { waitingForMs: 5_000, reach: 'site', widen: [] });
    expect(scene.chat.snapshot()).toBe(before);
  });

  test('returns to waiting once when a match falls through, and can be cancelled and matched', async () => {
    const scene = await staged();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'unconfirmed' });
    expect(scene.status()).toBe('waiting');
    expect(scene.events.at(-1)).toEqual(['ended', { conversationId: 'c1', reason: 'unconfirmed', undelivered: [] }]);
    scene.line.push('conversation:started', { ...info('c2'), policy: POLICY });
    expect(scene.state()).toMatchObject({ status: 'chatting', conversationId: 'c2' });
    scene.line.push('conversation:ended', { conversationId: 'c2' as ConversationId, reason: 'unconfirmed' });
    const cancelled = scene.chat.cancel();
    await scene.line.answer('match:cancel', { status: 'cancelled' });
    expect(await cancelled).toBe('cancelled');
    expect(scene.status()).toBe('idle');
    expect(scene.names().filter((name) => name === 'ended')).toHaveLength(2);
  });

  test('a match starts a conversation', async () => {
    const scene = await staged();
    expect(scene.state()).toEqual({
      status: 'chatting',
      conversationId: 'c1',
      shared: SHARED,
      peer: { presence: 'here', isTyping: false },
      messages: [],
    });
    expect(scene.events).toEqual([['started', { conversationId: 'c1', shared: SHARED }]]);
  });

  test('accepts a match before its reply', async () => {
    const scene = stage();
    const found = scene.chat.find();
    scene.line.ready();
    scene.line.push('conversation:started', { ...info('c1'), policy: POLICY });
    await found;
    await scene.line.answer('match:find', { status: 'matched' });
    await settle(60_000);
    expect(scene.status()).toBe('chatting');
    expect(scene.names()).toEqual(['started']);
    expect(scene.lines).toHaveLength(1);
  });

  test('reconnects if a promised match never comes', async () => {
    const scene = stage();
    const found = scene.chat.find();
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'matched' });
    await found;
    await settle(5_001);
    expect(scene.lines).toHaveLength(2);
    scene.line.ready({ status: 'chatting', conversation: info('c1'), peer: 'here' });
    expect(scene.status()).toBe('chatting');
  });

  test('starts once for a repeated start', async () => {
    const scene = await staged();
    scene.line.push('conversation:started', { ...info('c1'), policy: POLICY });
    expect(scene.names()).toEqual(['started']);
  });

  test('is refused in a conversation', async () => {
    const scene = await staged();
    expect(await refusal(scene.chat.find())).toMatchObject({ code: 'wrong_state' });
  });

  test('changes the criteria and keeps the place while waiting', async () => {
    const scene = stage();
    void scene.chat.find({ topic: 'a' });
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    const before = scene.state();
    await settle(1_000);
    const again = scene.chat.find({ topic: 'b' });
    expect(scene.state()).toBe(before);
    await scene.line.answer('match:find', { status: 'waiting' });
    await again;
    const [one, two] = scene.line.log;
    expect([one?.payload.topic, two?.payload.topic]).toEqual(['a', 'b']);
    expect(one?.payload.requestId).not.toBe(two?.payload.requestId);
  });

  test('keeps the former wait if the change is refused', async () => {
    const scene = stage();
    void scene.chat.find({ topic: 'a' });
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    const again = refusal(scene.chat.find({ topic: 'b' }));
    await scene.line.refuse('match:find', { code: 'rate_limited', retryAfterMs: 3_000 });
    expect(await again).toMatchObject({ code: 'rate_limited', retryAfterMs: 3_000, retry: 'after_delay' });
    expect(scene.status()).toBe('waiting');
    expect(scene.line.pending).toEqual([]);
  });

  test('rejects with a refusal and returns to idle', async () => {
    const scene = stage();
    const found = refusal(scene.chat.find());
    scene.line.ready();
    await settle();
    await scene.line.refuse('match:find', { code: 'bad_request' });
    expect(await found).toMatchObject({ code: 'bad_request', retry: 'never' });
    expect(scene.status()).toBe('idle');
  });

  test('retries an internal error with the same id, and rejects the third time', async () => {
    const scene = stage();
    const found = refusal(scene.chat.find());
    scene.line.ready();
    await settle();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await scene.line.refuse('match:find', { code: 'unavailable', retryAfterMs: 1_000 });
      await settle(1_000);
    }
    expect(await found).toMatchObject({ code: 'unavailable' });
    const ids = scene.line.log
      .filter(({ name }) => name === 'match:find')
      .map(({ payload }) => payload.requestId as string);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    // Whether one of the three took effect is unknown, so it is taken back.
    expect(scene.line.pending).toEqual(['match:cancel']);
    expect(scene.status()).toBe('idle');
  });

  test('retries without an answer with the same id, then over a new connection', async () => {
    const scene = stage();
    void scene.chat.find();
    scene.line.ready();
    await settle(5_000);
    expect(scene.line.log).toHaveLength(2);
    await settle(5_001);
    expect(scene.lines).toHaveLength(2);
    scene.line.ready({ status: 'waiting', waitingForMs: 1 });
    await settle();
    const ids = scene.lines.flatMap(({ log }) => log).map(({ payload }) => payload.requestId as string);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  test('rejects when its signal fires, and cancels the wait', async () => {
    const scene = stage();
    const controller = new AbortController();
    const found = refusal(scene.chat.find({}, { signal: controller.signal }));
    scene.line.ready();
    await settle();
    controller.abort();
    expect(await found).toMatchObject({ code: 'aborted' });
    expect(scene.status()).toBe('idle');
    await scene.line.answer('match:find', { status: 'waiting' });
    expect(scene.line.pending).toEqual(['match:cancel']);
  });

  test('ignores a signal that fires after the wait began', async () => {
    const scene = stage();
    const controller = new AbortController();
    const found = scene.chat.find({}, { signal: controller.signal });
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
    controller.abort();
    expect(scene.status()).toBe('waiting');
  });

  test('rejects at once with a signal that has fired before', async () => {
    const scene = stage();
    expect(await refusal(scene.chat.find({}, { signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' });
    expect(scene.lines).toEqual([]);
    expect(scene.status()).toBe('idle');
  });
});

describe('conversation', () => {
  test('shows a message at once as sending, and as delivered when the peer acknowledges it', async () => {
    const scene = await staged();
    const message = scene.chat.send('hi');
    expect(message).toMatchObject({ from: 'me', text: 'hi', status: 'sending', at: Date.now() });
    expect(scene.state()).toMatchObject({ messages: [message] });
    expect(scene.line.frames).toMatchObject([{ conversationId: 'c1', seq: 1, body: { kind: 'text', text: 'hi' } }]);
    scene.line.frame('c1', 0, { kind: 'ack' }, 1);
    const delivered = { ...message, status: 'delivered' };
    expect(scene.state()).toMatchObject({ messages: [delivered] });
    expect(scene.events.at(-1)).toEqual(['delivered', delivered]);
  });

  test('shows messages of the peer once, in order, and acknowledges them', async () => {
    const scene = await staged();
    scene.line.frame('c1', 1, { kind: 'text', text: 'one' });
    scene.line.frame('c1', 3, { kind: 'text', text: 'three' });
    scene.line.frame('c1', 2, { kind: 'text', text: 'two' });
    scene.line.frame('c1', 2, { kind: 'text', text: 'two' });
    scene.line.frame('c1', 3, { kind: 'text', text: 'three' });
    const heard = scene.events
      .filter(([name]) => name === 'message')
      .map(([, message]) => (message as { text: string }).text);
    expect(heard).toEqual(['one', 'two', 'three']);
    await settle(200);
    expect(scene.line.frames).toMatchObject([{ seq: 0, ack: 3, body: { kind: 'ack' } }]);
  });

  test('neither shows nor requests an invalid body again, and shows the next one', async () => {
    const scene = await staged();
    scene.line.frame('c1', 1, { kind: 'text', text: { evil: true } });
    scene.line.frame('c1', 2, { kind: 'hologram' });
    scene.line.frame('c1', 3, { kind: 'text', text: 'fine' });
    expect(scene.state()).toMatchObject({ messages: [{ text: 'fine' }] });
    await settle(200);
    expect(scene.line.frames.at(-1)).toMatchObject({ ack: 3 });
  });

  test.each(['', '   \n', 'x'.repeat(2_001)])('refuses a text such as %j, and sends nothing', async (text) => {
    const scene = await staged();
    expect(() => scene.chat.send(text)).toThrow(expect.objectContaining({ code: 'text_refused' }));
    expect(scene.line.frames).toEqual([]);
    expect(scene.state()).toMatchObject({ messages: [] });
  });

  test('bounds the outbox: further messages are refused, not lost', async () => {
    const scene = await staged();
    for (let count = 0; count < 200; count += 1) scene.chat.send(String(count));
    expect(() => scene.chat.send('one too many')).toThrow(expect.objectContaining({ code: 'outbox_full' }));
    scene.line.frame('c1', 0, { kind: 'ack' }, 1);
    expect(scene.chat.send('now it fits').status).toBe('sending');
  });

  test("shows the peer's typing, emits it once, and ends it with their message", async () => {
    const scene = await staged();
    scene.line.frame('c1', 0, { kind: 'typing', on: true });
    scene.line.frame('c1', 0, { kind: 'typing', on: true });
    expect(scene.state()).toMatchObject({ peer: { isTyping: true } });
    scene.line.frame('c1', 1, { kind: 'text', text: 'hi' });
    expect(scene.state()).toMatchObject({ peer: { isTyping: false } });
    expect(scene.names()).toEqual(['started', 'typing', 'typing', 'message']);
  });

  test('S27 does not show an unnumbered text, which delays no numbered one', async () => {
    const scene = await staged();
    scene.line.frame('c1', 0, { kind: 'text', text: 'buy now' });
    scene.line.frame('c1', 1, { kind: 'text', text: 'hi' });
    const state = scene.state();
    expect(state.status === 'chatting' && state.messages.map(({ text }) => text)).toEqual(['hi']);
    expect(scene.names()).toEqual(['started', 'message']);
  });

  test("ends the peer's typing in any case", async () => {
    const scene = await staged();
    scene.line.frame('c1', 0, { kind: 'typing', on: true });
    await settle(TIMES.typingForgetMs);
    expect(scene.state()).toMatchObject({ peer: { isTyping: false } });
    scene.line.frame('c1', 0, { kind: 'typing', on: true });
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'away' });
    expect(scene.state()).toMatchObject({ peer: { presence: 'away', isTyping: false } });
  });

  test('sends own typing unnumbered and throttled', async () => {
    const scene = await staged();
    for (let key = 0; key < 10; key += 1) scene.chat.typing(true);
    scene.chat.typing(false);
    expect(scene.line.frames.map(({ seq, body }) => [seq, body['on']])).toEqual([
      [0, true],
      [0, false],
    ]);
  });

  test('sends unacknowledged messages again to a peer that comes back', async () => {
    const scene = await staged();
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'away' });
    scene.chat.send('are you there?');
    scene.line.frames.length = 0;
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'here' });
    expect(scene.line.frames).toMatchObject([{ seq: 1, body: { text: 'are you there?' } }]);
    expect(scene.names()).toEqual(['started', 'presence', 'presence']);
  });
});

describe('end of a conversation', () => {
  test('is emitted once, with its reason, and keeps the messages', async () => {
    const scene = await staged();
    const message = scene.chat.send('hello?');
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'idle' });
    const undelivered = { ...message, status: 'undelivered' };
    expect(scene.state()).toEqual({
      status: 'ended',
      conversationId: 'c1',
      reason: 'peer_left',
      shared: SHARED,
      messages: [undelivered],
    });
    expect(scene.events.slice(1)).toEqual([
      ['ended', { conversationId: 'c1', reason: 'peer_left', undelivered: [undelivered] }],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('by leave is immediate, emitted once, and sent to the service', async () => {
    const scene = await staged();
    const stopped = scene.chat.leave();
    expect(scene.status()).toBe('idle');
    void scene.chat.leave();
    await scene.line.answer('conversation:leave', { status: 'left', next: null });
    await stopped;
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'you_left' });
    expect(scene.events.slice(1)).toEqual([['ended', { conversationId: 'c1', reason: 'you_left', undelivered: [] }]]);
    expect(scene.line.log.map(({ name }) => name)).toEqual(['match:find', 'conversation:leave']);
  });

  test('by skip is immediate, and searches with the same criteria in the same request', async () => {
    const scene = await staged();
    const skipped = scene.chat.skip();
    expect(scene.status()).toBe('waiting');
    await scene.line.answer('conversation:leave', { status: 'left', next: 'waiting' });
    await skipped;
    expect(scene.line.log.at(-1)).toMatchObject({
      name: 'conversation:leave',
      payload: { conversationId: 'c1', next: { interests: ['tea'] } },
    });
    expect(scene.line.pending).toEqual([]);
    expect(scene.names()).toEqual(['started', 'ended']);
  });

  test('by skip with other criteria searches with those', async () => {
    const scene = await staged();
    void scene.chat.skip({ interests: ['trains'] });
    expect(scene.line.log.at(-1)?.payload.next).toMatchObject({ interests: ['trains'] });
  });

  test('skip in the ended state searches without leaving', async () => {
    const scene = await staged();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    void scene.chat.skip();
    expect(scene.status()).toBe('waiting');
    expect(scene.line.pending).toEqual(['match:find']);
  });

  test('by skip happens even if the service refuses the criteria', async () => {
    const scene = await staged();
    const skipped = refusal(scene.chat.skip({ topic: 'x'.repeat(9_999) }));
    await scene.line.refuse('conversation:leave', { code: 'bad_request' });
    expect(await skipped).toMatchObject({ code: 'bad_request' });
    expect(scene.status()).toBe('idle');
    expect(scene.line.log.at(-1)).toEqual({ name: 'conversation:leave', payload: { conversationId: 'c1' } });
  });

  test('by block leaves too, and block works after the end', async () => {
    const scene = await staged();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    const blocked = scene.chat.block();
    expect(scene.status()).toBe('idle');
    await scene.line.answer('conversation:block', { status: 'blocked' });
    await blocked;
    expect(scene.names()).toEqual(['started', 'ended']);
  });

  test('by block happens even if the service refuses it', async () => {
    const scene = await staged();
    const blocked = refusal(scene.chat.block());
    await scene.line.refuse('conversation:block', { code: 'not_in_conversation' });
    expect(await blocked).toMatchObject({ code: 'not_in_conversation' });
    expect(scene.status()).toBe('idle');
  });
});

describe('snapshot', () => {
  test('is the same object until something changes', async () => {
    const scene = await staged();
    const before = scene.chat.snapshot();
    expect(scene.chat.snapshot()).toBe(before);
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'here' });
    scene.line.frame('c1', 0, { kind: 'typing', on: false });
    expect(scene.chat.snapshot()).toBe(before);
  });

  test('shares what did not change', async () => {
    const scene = await staged();
    scene.chat.send('one');
    const before = scene.chat.snapshot();
    scene.line.frame('c1', 0, { kind: 'typing', on: true });
    const after = scene.chat.snapshot();
    expect(after).not.toBe(before);
    expect(after.policy).toBe(before.policy);
    expect(after.connection).toBe(before.connection);
    expect(after.state).toMatchObject({ messages: [{ text: 'one' }] });
    if (after.state.status !== 'chatting' || before.state.status !== 'chatting') throw new Error('not chatting');
    expect(after.state.messages).toBe(before.state.messages);
  });

  test('does not change for a repeated online count', () => {
    const scene = stage();
    void scene.chat.connect();
    scene.line.ready();
    const online: OnlineBucket = { min: 1, max: 9 };
    scene.line.push('site:presence', { online });
    const before = scene.chat.snapshot();
    scene.line.push('site:presence', { online: { ...online } });
    expect(scene.chat.snapshot()).toBe(before);
    expect(scene.names()).toEqual(['online']);
  });

  test('is passed to a subscriber at once and with every change, consistent with the event', async () => {
    const scene = stage();
    const seen: ChatSnapshot[] = [];
    const undo = scene.chat.subscribe((snapshot) => seen.push(snapshot));
    expect(seen).toEqual([scene.chat.snapshot()]);
    void scene.chat.connect();
    scene.line.ready();
    expect(seen.map(({ connection }) => connection.status)).toEqual([
      'offline',
      'connecting',
      'connected',
      'connected',
    ]);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.at(-1)).toBe(scene.chat.snapshot());
    undo();
    scene.line.lose();
    expect(seen).toHaveLength(4);
  });

  test('contains the change of an event when it is emitted', async () => {
    const scene = await staged();
    const shown: string[] = [];
    scene.chat.on('ended', () => shown.push(scene.status()));
    scene.chat.on('started', () => shown.push(scene.status()));
    void scene.chat.skip();
    scene.line.push('conversation:started', { ...info('c2'), policy: POLICY });
    scene.line.push('conversation:ended', { conversationId: 'c2' as ConversationId, reason: 'idle' });
    expect(shown).toEqual(['waiting', 'chatting', 'ended']);
  });
});
