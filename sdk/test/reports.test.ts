import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationId } from '../src/protocol/index.ts';
import { TIMES } from '../src/protocol/index.ts';
import { info, POLICY, refusal, settle, staged, type Stage } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const c1 = 'c1' as ConversationId;
const keeping = { ...POLICY, history: 'reports' } as const;

/** Client in conversation with a site that accepts messages in reports; `count` were sent by the peer. */
async function talked(count = 2): Promise<Stage> {
  const scene = await staged('c0');
  scene.line.push('conversation:ended', { conversationId: 'c0' as ConversationId, reason: 'peer_left' });
  const found = scene.chat.find();
  await scene.line.answer('match:find', { status: 'waiting' });
  await found;
  scene.line.push('conversation:started', { ...info('c1'), policy: keeping });
  for (let seq = 1; seq <= count; seq += 1) scene.line.frame('c1', seq, { kind: 'text', text: `t${seq}` });
  return scene;
}
const reported = (scene: Stage): unknown[] =>
  scene.lines.flatMap(({ log }) =>
    log.filter(({ name }) => name === 'conversation:report').map((r) => r.payload as unknown),
  );

describe('report', () => {
  test('is sent during the conversation, which continues', async () => {
    const scene = await talked();
    const done = scene.chat.report({ reason: 'spam', comment: ' adverts ' });
    await scene.line.answer('conversation:report', { status: 'reported' });
    await done;
    expect(reported(scene)).toEqual([{ conversationId: c1, reason: 'spam', comment: 'adverts' }]);
    expect(scene.status()).toBe('chatting');
  });

  test('includes the last messages only on request, twenty at most', async () => {
    const scene = await talked(25);
    scene.chat.send('stop that');
    void scene.chat.report({ reason: 'harassment', messages: true });
    const [{ messages }] = reported(scene) as [{ messages: unknown[] }];
    expect(messages).toHaveLength(20);
    expect(messages.at(-2)).toEqual({ from: 'peer', text: 't25' });
    expect(messages.at(-1)).toEqual({ from: 'me', text: 'stop that' });
  });

  test('includes as many messages as requested', async () => {
    const scene = await talked(5);
    void scene.chat.report({ reason: 'other', messages: 2 });
    expect(reported(scene)).toMatchObject([{ messages: [{ text: 't4' }, { text: 't5' }] }]);
  });

  test('includes no messages if the site accepts none, and is sent all the same', async () => {
    const scene = await staged();
    scene.line.frame('c1', 1, { kind: 'text', text: 'hey' });
    void scene.chat.report({ reason: 'other', messages: true });
    expect(reported(scene)).toEqual([{ conversationId: c1, reason: 'other' }]);
  });

  test('is possible in the ended state, with its messages', async () => {
    const scene = await talked();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    void scene.chat.report({ reason: 'sexual', messages: true });
    expect(reported(scene)).toMatchObject([{ conversationId: c1, messages: [{ text: 't1' }, { text: 't2' }] }]);
  });

  test('is possible for a conversation that was left, by its id and with its messages', async () => {
    const scene = await talked();
    void scene.chat.leave();
    await scene.line.answer('conversation:leave', { status: 'left', next: null });
    void scene.chat.report({ reason: 'hate', messages: true, conversationId: c1 });
    expect(reported(scene)).toMatchObject([{ conversationId: c1, messages: [{ text: 't1' }, { text: 't2' }] }]);
  });

  test('is refused after fifteen minutes', async () => {
    const scene = await talked();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    await settle(TIMES.reportMs);
    expect(await refusal(scene.chat.report({ reason: 'spam' }))).toMatchObject({ code: 'not_in_conversation' });
    expect(reported(scene)).toEqual([]);
  });

  test('is refused without a conversation', async () => {
    const scene = await talked();
    await Promise.all([scene.chat.leave(), scene.line.answer('conversation:leave', { status: 'left', next: null })]);
    expect(await refusal(scene.chat.report({ reason: 'spam' }))).toMatchObject({ code: 'wrong_state' });
  });

  test('is refused locally with a comment that is too long', async () => {
    const scene = await talked();
    const long = scene.chat.report({ reason: 'spam', comment: 'x'.repeat(501) });
    expect(await refusal(long)).toMatchObject({ code: 'text_refused' });
  });

  test('rejects with the time left if the service refuses it', async () => {
    const scene = await talked();
    const done = refusal(scene.chat.report({ reason: 'spam' }));
    await scene.line.refuse('conversation:report', { code: 'rate_limited', retryAfterMs: 4_000 });
    expect(await done).toMatchObject({ code: 'rate_limited', retryAfterMs: 4_000 });
  });
});

describe('without a connection', () => {
  test('a report waits, and is sent once connected', async () => {
    const scene = await talked();
    scene.line.lose();
    const done = scene.chat.report({ reason: 'spam', messages: 1 });
    await settle(1_000);
    scene.line.ready({ status: 'chatting', conversation: info('c1'), peer: 'here' });
    await scene.line.answer('conversation:report', { status: 'reported' });
    await done;
    expect(reported(scene)).toMatchObject([{ messages: [{ text: 't2' }] }]);
  });

  test('a report without an answer is sent again', async () => {
    const scene = await talked();
    const done = scene.chat.report({ reason: 'spam' });
    scene.line.lose();
    await settle(1_000);
    scene.line.ready({ status: 'chatting', conversation: info('c1'), peer: 'here' });
    await scene.line.answer('conversation:report', { status: 'reported' });
    await done;
    expect(reported(scene)).toHaveLength(2);
  });

  test('a report is not sent after its time is over', async () => {
    const scene = await talked();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    scene.line.lose();
    const done = refusal(scene.chat.report({ reason: 'spam' }));
    await settle(TIMES.reportMs + 30_000);
    scene.line.ready();
    expect(await done).toMatchObject({ code: 'timeout' });
    expect(reported(scene)).toEqual([]);
  });

  test('blocking in the same turn keeps the report', async () => {
    const scene = await talked();
    const done = scene.chat.report({ reason: 'threat', messages: true });
    void scene.chat.block();
    expect(scene.status()).toBe('idle');
    expect(scene.line.pending).toEqual(['conversation:report', 'conversation:block']);
    await scene.line.answer('conversation:report', { status: 'reported' });
    await done;
  });
});
