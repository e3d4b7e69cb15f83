import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Chat } from '../src/chat.ts';
import { Client } from '../src/client.ts';
import { refusal, settle, stage, staged } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Wraps a chat as Vue's `reactive()` does: every call has the proxy for its `this`. */
function reactive(chat: Chat): Chat {
  return new Proxy(chat, { get: (target, name, receiver): unknown => Reflect.get(target, name, receiver) });
}

describe('methods of a chat', () => {
  test('are all own properties', () => {
    expect(Reflect.ownKeys(Client.prototype)).toEqual(['constructor']);
  });

  test('work detached from the chat', async () => {
    const { chat, line, names } = await staged();
    const { snapshot, subscribe, on, send, typing, leave: stop, cancel, resume, close } = chat;
    const seen: string[] = [];
    subscribe(({ state }) => seen.push(state.status));
    on('ended', ({ reason }) => seen.push(reason));
    expect(send('hello')).toMatchObject({ text: 'hello' });
    typing(true);
    expect(await cancel()).toBe('already_matched');
    expect(await resume()).toBe(false);
    const stopped = stop();
    await line.answer('conversation:leave', { status: 'left', next: null });
    await stopped;
    const closed = close();
    await settle(1_000);
    await closed;
    expect(snapshot().state.status).toBe('closed');
    expect(names()).toEqual(['started', 'ended']);
    expect(seen).toContain('you_left');
  });

  test('work on a proxy of the chat', async () => {
    const scene = stage();
    const chat = reactive(scene.chat);
    const connected = chat.connect();
    scene.line.ready();
    await connected;
    const found = chat.find();
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
    expect(chat.snapshot().state.status).toBe('waiting');
    expect(() => chat.send('hello')).toThrow(expect.objectContaining({ code: 'wrong_state' }));
    const calls = [chat.skip(), chat.leave(), refusal(chat.block()), refusal(chat.report({ reason: 'spam' }))];
    const moved = [chat.takeOver(), chat[Symbol.asyncDispose]()];
    await settle(10_000);
    await Promise.all([...calls, ...moved]);
    expect(chat.snapshot().state.status).toBe('closed');
  });

  test('include the former name of one', () => {
    const { chat } = stage();
    expect(chat.useHere).toBe(chat.takeOver);
  });
});
