import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationId } from '../src/protocol/index.ts';
import { READY_TIMEOUT_MS } from '../src/connection/reconnecting-connection.ts';
import { info, POLICY, refusal, settle, stage, staged, type Stage } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const c1 = 'c1' as ConversationId;

async function waiting(): Promise<Stage> {
  const scene = stage();
  const found = scene.chat.find();
  scene.line.ready();
  await scene.line.answer('match:find', { status: 'waiting' });
  await found;
  return scene;
}

/** Loses the connection; the next attempt (without jitter, at once) is not yet ready. */
async function cut(scene: Stage): Promise<void> {
  scene.line.lose();
  await settle();
}

const running = { status: 'chatting', conversation: info('c1'), peer: 'here' } as const;

describe('lost connection', () => {
  test('resumes with the token of the last session:ready, which is rotated', async () => {
    const scene = await staged();
    await cut(scene);
    expect(scene.chat.snapshot().connection).toMatchObject({ status: 'reconnecting', attempt: 1 });
    scene.line.ready(running);
    await cut(scene);
    const [first, second, third] = scene.lines.map(({ resume }) => resume);
    expect(first).toBeUndefined();
    expect(second).toMatch(/^r_/);
    expect(third).toMatch(/^r_/);
    expect(third).not.toBe(second);
  });

  test('is retried with increasing delays, which the snapshot shows', async () => {
    const scene = stage({ random: () => 0.5 });
    void scene.chat.connect();
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      scene.line.lose();
      const { connection } = scene.chat.snapshot();
      if (connection.status !== 'reconnecting') throw new Error(connection.status);
      expect(connection.attempt).toBe(attempt);
      waits.push(connection.retryAt - Date.now());
      await settle(connection.retryAt - Date.now());
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 7_500, 7_500]);
    expect(scene.lines).toHaveLength(8);
  });

  test('counts as another failed attempt if it is lost right after it was made', async () => {
    const scene = stage({ random: () => 0.5 });
    void scene.chat.connect();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      scene.line.ready();
      scene.line.lose();
      expect(scene.chat.snapshot().connection).toMatchObject({ status: 'reconnecting', attempt });
      await settle(15_000);
    }
    scene.line.ready();
    await settle(5_000);
    scene.line.lose();
    expect(scene.chat.snapshot().connection).toMatchObject({ attempt: 1 });
  });

  test('is given up if the service sends nothing', async () => {
    const scene = stage();
    void scene.chat.connect();
    await settle(READY_TIMEOUT_MS + 1);
    expect(scene.lines).toHaveLength(2);
    expect(scene.lines[0]?.isOpen).toBe(false);
  });

  test('ignores events of a former connection', async () => {
    const scene = await staged();
    const [former] = scene.lines;
    await cut(scene);
    scene.line.ready(running);
    former?.frame('c1', 1, { kind: 'text', text: 'ghost' });
    former?.push('conversation:ended', { conversationId: c1, reason: 'idle' });
    former?.lose();
    expect(scene.state()).toMatchObject({ status: 'chatting', messages: [] });
    expect(scene.lines).toHaveLength(2);
  });

  test('ignores a push before session:ready', async () => {
    const scene = stage();
    void scene.chat.find();
    scene.line.push('conversation:started', { ...info('c1'), policy: POLICY });
    expect(scene.status()).toBe('waiting');
  });
});

describe('conversation over a lost connection', () => {
  test('continues: messages sent meanwhile are shown as sending until the connection is back', async () => {
    const scene = await staged();
    scene.line.lose();
    scene.chat.send('into the tunnel');
    scene.chat.typing(true);
    await settle();
    expect(scene.line.frames).toEqual([]);
    scene.line.ready(running);
    expect(scene.line.frames).toMatchObject([{ seq: 1, body: { text: 'into the tunnel' } }]);
    scene.line.frame('c1', 0, { kind: 'ack' }, 1);
    expect(scene.names()).toEqual(['started', 'delivered']);
  });

  test('shows that the peer is absent', async () => {
    const scene = await staged();
    await cut(scene);
    scene.line.ready({ ...running, peer: 'away' });
    expect(scene.state()).toMatchObject({ peer: { presence: 'away' } });
    expect(scene.names()).toEqual(['started', 'presence']);
  });

  test('ends once, as peer_left, if it ended meanwhile', async () => {
    const scene = await staged();
    const message = scene.chat.send('hello?');
    await cut(scene);
    scene.line.ready({ status: 'idle' });
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_lost' });
    expect(scene.state()).toMatchObject({ status: 'ended', reason: 'peer_left' });
    expect(scene.events.slice(1)).toEqual([
      ['ended', { conversationId: 'c1', reason: 'peer_left', undelivered: [{ ...message, status: 'undelivered' }] }],
    ]);
  });

  test('ends as service_reset if the service lost its state', async () => {
    const scene = await staged();
    await cut(scene);
    scene.line.ready({ status: 'idle' }, false);
    expect(scene.state()).toMatchObject({ status: 'ended', reason: 'service_reset' });
  });

  test('left while disconnected is left on the service once connected', async () => {
    const scene = await staged();
    scene.line.lose();
    await scene.chat.leave();
    expect(scene.status()).toBe('idle');
    await settle();
    scene.line.ready(running);
    expect(scene.line.log).toEqual([{ name: 'conversation:leave', payload: { conversationId: 'c1' } }]);
    await scene.line.answer('conversation:leave', { status: 'left', next: null });
    expect(scene.status()).toBe('idle');
    expect(scene.names()).toEqual(['started', 'ended']);
  });

  test('skipped while disconnected is left and searched on in one request', async () => {
    const scene = await staged();
    scene.line.lose();
    const skipped = scene.chat.skip();
    await settle();
    scene.line.ready(running);
    await scene.line.answer('conversation:leave', { status: 'left', next: 'waiting' });
    await skipped;
    expect(scene.line.log[0]?.payload).toMatchObject({ conversationId: 'c1', next: { interests: ['tea'] } });
    expect(scene.status()).toBe('waiting');
  });

  test('is not left twice if the leave was pending when the connection was lost', async () => {
    const scene = await staged();
    const skipped = scene.chat.skip();
    await cut(scene);
    scene.line.ready({ status: 'waiting', waitingForMs: 3 });
    expect(scene.line.pending).toEqual(['match:find']);
    await scene.line.answer('match:find', { status: 'waiting' });
    await skipped;
    const [find, leave] = [scene.line.log[0]?.payload, scene.lines[0]?.log.at(-1)?.payload];
    expect(find.requestId).toBe(leave.next.requestId);
  });

  test('blocked while disconnected is blocked once connected', async () => {
    const scene = await staged();
    scene.line.lose();
    const blocked = scene.chat.block();
    await settle();
    scene.line.ready(running);
    await scene.line.answer('conversation:block', { status: 'blocked' });
    await blocked;
    expect(scene.names()).toEqual(['started', 'ended']);
  });

  test('is left if only the service knows it', async () => {
    const scene = stage();
    void scene.chat.connect();
    scene.line.ready({ ...running, conversation: info('c9') });
    expect(scene.line.log).toEqual([{ name: 'conversation:leave', payload: { conversationId: 'c9' } }]);
    expect(scene.status()).toBe('idle');
    expect(scene.events).toEqual([]);
  });
});

describe('wait over a lost connection', () => {
  test('continues if the service kept it', async () => {
    const scene = await waiting();
    const before = scene.state();
    await cut(scene);
    scene.line.ready({ status: 'waiting', waitingForMs: 9 });
    await scene.line.answer('match:find', { status: 'waiting' });
    expect(scene.state()).toBe(before);
  });

  test('is requested again with the same id if the service lost it', async () => {
    const scene = await waiting();
    const id = scene.line.log[0]?.payload.requestId as string;
    await cut(scene);
    scene.line.ready({ status: 'idle' }, false);
    expect(scene.line.log).toMatchObject([{ name: 'match:find', payload: { requestId: id } }]);
  });

  test('becomes the conversation if a match was made meanwhile', async () => {
    const scene = await waiting();
    await cut(scene);
    scene.line.ready({ ...running, peer: 'away' });
    expect(scene.state()).toMatchObject({ status: 'chatting', conversationId: 'c1', peer: { presence: 'away' } });
    scene.line.push('conversation:started', { ...info('c1'), policy: POLICY });
    expect(scene.names().filter((name) => name === 'started')).toHaveLength(1);
  });

  test('cancelled while disconnected is over at once, and cancelled on the service later', async () => {
    const scene = await waiting();
    scene.line.lose();
    expect(await scene.chat.cancel()).toBe('cancelled');
    expect(scene.status()).toBe('idle');
    await settle();
    scene.line.ready({ status: 'waiting', waitingForMs: 9 });
    expect(scene.line.pending).toEqual(['match:cancel']);
    await scene.line.answer('match:cancel', { status: 'cancelled' });
    expect(scene.status()).toBe('idle');
  });

  test('cancelled, but matched meanwhile, declines the match silently', async () => {
    const scene = await waiting();
    scene.line.lose();
    await scene.chat.cancel();
    await settle();
    scene.line.ready(running);
    expect(scene.line.pending).toEqual(['conversation:leave']);
    expect(scene.status()).toBe('idle');
    expect(scene.events).toEqual([]);
  });

  test('cancelled and begun anew, but matched meanwhile, leaves that match for the new search', async () => {
    const scene = await waiting();
    scene.line.lose();
    await scene.chat.leave();
    const found = scene.chat.find({ topic: 'new' });
    await settle();
    scene.line.ready(running);
    expect(scene.line.log).toMatchObject([{ name: 'conversation:leave', payload: { next: { topic: 'new' } } }]);
    await scene.line.answer('conversation:leave', { status: 'left', next: 'waiting' });
    await found;
    expect(scene.status()).toBe('waiting');
  });

  test('is over for the visitor if a cancel was pending when the connection was lost', async () => {
    const scene = await waiting();
    const cancelled = scene.chat.cancel();
    await cut(scene);
    expect(await cancelled).toBe('cancelled');
    expect(scene.status()).toBe('idle');
    scene.line.ready({ status: 'idle' });
    await settle(10_000);
    expect(scene.line.pending).toEqual([]);
  });

  test('is retried while there is no connection at all', async () => {
    const scene = stage();
    const found = scene.chat.find();
    for (let attempt = 0; attempt < 20; attempt += 1) await cut(scene);
    expect(scene.status()).toBe('waiting');
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
  });
});

describe('draining service', () => {
  test('is left at a random moment within the announced time, and the conversation continues', async () => {
    const scene = stage({ random: () => 0.5 });
    void scene.chat.connect();
    scene.line.ready();
    scene.line.push('session:draining', { reconnectAfterMs: 4_000 });
    await settle(1_999);
    expect(scene.lines).toHaveLength(1);
    await settle(1);
    expect(scene.lines).toHaveLength(2);
    expect(scene.lines[0]?.isOpen).toBe(false);
    expect(scene.line.resume).toMatch(/^r_/);
  });
});

describe('page after an outage', () => {
  test('reconnects at once when the network is back or the page is shown', async () => {
    const page = new EventTarget();
    vi.stubGlobal('window', page);
    vi.stubGlobal('document', { visibilityState: 'visible' });
    const scene = stage({ random: () => 0.999 });
    void scene.chat.connect();
    for (const name of ['online', 'pageshow']) {
      const { length } = scene.lines;
      scene.line.lose();
      page.dispatchEvent(new Event(name));
      expect(scene.lines).toHaveLength(length + 1);
      page.dispatchEvent(new Event(name));
      expect(scene.lines).toHaveLength(length + 1);
    }
    scene.line.lose();
    page.dispatchEvent(new Event('visibilitychange'));
    expect(scene.lines).toHaveLength(4);
    scene.line.ready();
    void scene.chat.close();
    await settle(1_000);
    page.dispatchEvent(new Event('online'));
    expect(scene.lines).toHaveLength(4);
  });
});

describe('page that wakes up', () => {
  let page: EventTarget;
  let shown: { visibilityState: string };
  beforeEach(() => {
    page = new EventTarget();
    shown = { visibilityState: 'visible' };
    vi.stubGlobal('window', page);
    vi.stubGlobal('document', shown);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test.each(['online', 'pageshow', 'visibilitychange'])(
    'on %s checks its connection once, and keeps it if it is alive',
    async (event) => {
      const scene = await staged();
      page.dispatchEvent(new Event(event));
      page.dispatchEvent(new Event(event));
      expect(scene.line.pending).toEqual(['session:check']);
      await scene.line.answer('session:check', { status: 'here' });
      await settle(60_000);
      expect(scene.lines).toHaveLength(1);
    },
  );

  test('aborts no attempt for the time that it was frozen', async () => {
    const scene = stage();
    void scene.chat.connect();
    page.dispatchEvent(new Event('freeze'));
    await settle(10 * READY_TIMEOUT_MS);
    expect(scene.lines).toHaveLength(1);
    page.dispatchEvent(new Event('resume'));
    await settle(READY_TIMEOUT_MS - 1);
    expect(scene.lines).toHaveLength(1);
    await settle(2);
    expect(scene.lines).toHaveLength(2);
  });

  test('replaces a silent connection at once, and the conversation continues', async () => {
    const scene = await staged('c1', { random: () => 0.999 });
    scene.chat.send('hello?');
    page.dispatchEvent(new Event('online'));
    await settle(3_000);
    expect(scene.lines).toHaveLength(2);
    scene.line.ready(running);
    expect(scene.line.frames).toMatchObject([{ seq: 1, body: { text: 'hello?' } }]);
    expect(scene.names()).toEqual(['started']);
  });

  test('does not check while it is hidden', async () => {
    const scene = await staged();
    shown.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    expect(scene.line.pending).toEqual([]);
  });

  test('aborts an attempt that was pending for long, and begins another', async () => {
    const scene = stage();
    void scene.chat.connect();
    await settle(1_000);
    page.dispatchEvent(new Event('online'));
    expect(scene.lines).toHaveLength(1);
    await settle(3_000);
    page.dispatchEvent(new Event('online'));
    expect(scene.lines).toHaveLength(2);
    expect(scene.lines[0]!.isOpen).toBe(false);
  });

  test('does not check once the chat is closed', async () => {
    const scene = await staged();
    void scene.chat.close();
    await settle(1_000);
    const { length } = scene.line.log;
    page.dispatchEvent(new Event('online'));
    expect(scene.line.log).toHaveLength(length);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('session that the service refuses', () => {
  test('superseded: the conversation continues elsewhere, has not ended, and is not resumed here', async () => {
    const scene = await staged();
    scene.line.push('session:superseded', {});
    expect(scene.state()).toEqual({ status: 'elsewhere' });
    expect(scene.names()).toEqual(['started']);
    expect(scene.line.isOpen).toBe(false);
    await settle(120_000);
    expect(scene.lines).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('refused: the wait ends with the reason, and a new find starts a new session', async () => {
    const scene = await waiting();
    scene.line.push('session:refused', { code: 'origin_refused', message: 'no more' });
    expect(scene.state()).toMatchObject({ status: 'refused', error: { message: 'no more' } });
    expect(scene.names()).toEqual(['error']);
    void scene.chat.find();
    expect(scene.line.resume).toBeUndefined();
  });

  test('refused during a call: only that call rejects', async () => {
    const scene = stage();
    const found = refusal(scene.chat.find());
    scene.line.push('session:refused', { code: 'origin_refused', message: 'no' });
    expect(await found).toMatchObject({ code: 'origin_refused' });
    expect(scene.names()).toEqual([]);
  });

  test('refused temporarily: retried automatically, after the announced time', async () => {
    const scene = await waiting();
    scene.line.lose({ kind: 'refused', error: { code: 'unavailable', message: '', retryAfterMs: 7_000 } });
    await settle(6_999);
    expect(scene.lines).toHaveLength(1);
    await settle(1);
    expect(scene.lines).toHaveLength(2);
    expect(scene.status()).toBe('waiting');
  });

  test('refused temporarily after a resume: the conversation waits for the next attempt', async () => {
    const scene = await staged();
    scene.chat.send('hello?');
    await cut(scene);
    scene.line.push('session:refused', { code: 'unavailable', message: 'later', retryAfterMs: 1_000 });
    expect(scene.status()).toBe('chatting');
    await settle(999);
    expect(scene.lines).toHaveLength(2);
    await settle(1);
    expect(scene.line.resume).toBe(scene.lines[1]!.resume);
    scene.line.ready(running);
    expect(scene.line.frames).toMatchObject([{ seq: 1, body: { text: 'hello?' } }]);
    expect(scene.names()).toEqual(['started']);
  });

  test('gone: a new one is opened, and a wait continues in it', async () => {
    const scene = await waiting();
    scene.line.push('session:refused', { code: 'session_gone', message: 'gone' });
    expect(scene.status()).toBe('waiting');
    await settle();
    expect(scene.line.resume).toBeUndefined();
    scene.line.ready({ status: 'idle' }, false);
    expect(scene.line.pending).toEqual(['match:find']);
  });

  test('the ended state stays available', async () => {
    for (const name of ['session:superseded', 'session:refused'] as const) {
      const scene = await staged();
      scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
      scene.line.push(name, { code: 'origin_refused', message: 'no more' } as never);
      expect(scene.status()).toBe('ended');
      expect(scene.line.isOpen).toBe(false);
    }
  });

  test('leave resets the refused state', async () => {
    const scene = await waiting();
    scene.line.push('session:refused', { code: 'origin_refused', message: 'no more' });
    await scene.chat.leave();
    expect(scene.status()).toBe('idle');
  });
});
