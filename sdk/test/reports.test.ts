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

describe('a report', () => {
  test('goes out while the conversation runs, and the conversation goes on', async () => {
    const scene = await talked();
    const done = scene.chat.report({ reason: 'spam', comment: ' adverts ' });
    await scene.line.answer('conversation:report', { status: 'reported' });
    await done;
    expect(reported(scene)).toEqual([{ conversationId: c1, reason: 'spam', comment: 'adverts' }]);
    expect(scene.status()).toBe('chatting');
  });

  test('hands over the last messages only if asked to, twenty at most', async () => {
    const scene = await talked(25);
    scene.chat.send('stop that');
    void scene.chat.report({ reason: 'harassment', messages: true });
    const [{ messages }] = reported(scene) as [{ messages: unknown[] }];
    expect(messages).toHaveLength(20);
    expect(messages.at(-2)).toEqual({ from: 'peer', text: 't25' });
    expect(messages.at(-1)).toEqual({ from: 'me', text: 'stop that' });
  });

  test('hands over as many as were asked for', async () => {
    const scene = await talked(5);
    void scene.chat.report({ reason: 'other', messages: 2 });
    expect(reported(scene)).toMatchObject([{ messages: [{ text: 't4' }, { text: 't5' }] }]);
  });

  test('hands over nothing where the site takes nothing, and goes out all the same', async () => {
    const scene = await staged();
    scene.line.frame('c1', 1, { kind: 'text', text: 'hey' });
    void scene.chat.report({ reason: 'other', messages: true });
    expect(reported(scene)).toEqual([{ conversationId: c1, reason: 'other' }]);
  });

  test('is possible in the ended view, with what was said', async () => {
    const scene = await talked();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    void scene.chat.report({ reason: 'sexual', messages: true });
    expect(reported(scene)).toMatchObject([{ conversationId: c1, messages: [{ text: 't1' }, { text: 't2' }] }]);
  });

  test('is possible of a conversation that was left, by its id and with what was said', async () => {
    const scene = await talked();
    void scene.chat.leave();
    await scene.line.answer('conversation:leave', { status: 'left', next: null });
    void scene.chat.report({ reason: 'hate', messages: true, conversationId: c1 });
    expect(reported(scene)).toMatchObject([{ conversationId: c1, messages: [{ text: 't1' }, { text: 't2' }] }]);
  });

  test('comes too late after fifteen minutes', async () => {
    const scene = await talked();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    await settle(TIMES.reportMs);
    expect(await refusal(scene.chat.report({ reason: 'spam' }))).toMatchObject({ code: 'not_in_conversation' });
    expect(reported(scene)).toEqual([]);
  });

  test('needs somebody to be about', async () => {
    const scene = await talked();
    await Promise.all([scene.chat.leave(), scene.line.answer('conversation:leave', { status: 'left', next: null })]);
    expect(await refusal(scene.chat.report({ reason: 'spam' }))).toMatchObject({ code: 'wrong_state' });
  });

  test('with a comment that is too long is refused here', async () => {
    const scene = await talked();
    const long = scene.chat.report({ reason: 'spam', comment: 'x'.repeat(501) });
    expect(await refusal(long)).toMatchObject({ code: 'text_refused' });
  });

  test('that the service refuses rejects with the time left', async () => {
    const scene = await talked();
    const done = refusal(scene.chat.report({ reason: 'spam' }));
    await scene.line.refuse('conversation:report', { code: 'rate_limited', retryAfterMs: 4_000 });
    expect(await done).toMatchObject({ code: 'rate_limited', retryAfterMs: 4_000 });
  });
});

describe('without a connection', () => {
  test('a report waits, and goes out when the line is back', async () => {
    const scene = await talked();
    scene.line.lose();
    const done = scene.chat.report({ reason: 'spam', messages: 1 });
    await settle(1_000);
    scene.line.ready({ status: 'chatting', conversation: info('c1'), peer: 'here' });
    await scene.line.answer('conversation:report', { status: 'reported' });
    await done;
    expect(reported(scene)).toMatchObject([{ messages: [{ text: 't2' }] }]);
  });

  test('asked and not answered when the line went, it is asked again', async () => {
    const scene = await talked();
    const done = scene.chat.report({ reason: 'spam' });
    scene.line.lose();
    await settle(1_000);
    scene.line.ready({ status: 'chatting', conversation: info('c1'), peer: 'here' });
    await scene.line.answer('conversation:report', { status: 'reported' });
    await done;
    expect(reported(scene)).toHaveLength(2);
  });

  test('a line that is back only after the time is over carries no report', async () => {
    const scene = await talked();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    scene.line.lose();
    const done = refusal(scene.chat.report({ reason: 'spam' }));
    await settle(TIMES.reportMs + 30_000);
    scene.line.ready();
    expect(await done).toMatchObject({ code: 'timeout' });
    expect(reported(scene)).toEqual([]);
  });

  test('blocking in the same breath keeps the report', async () => {
    const scene = await talked();
    const done = scene.chat.report({ reason: 'threat', messages: true });
    void scene.chat.block();
    expect(scene.status()).toBe('idle');
    expect(scene.line.pending).toEqual(['conversation:report', 'conversation:block']);
    await scene.line.answer('conversation:report', { status: 'reported' });
    await done;
  });
});
