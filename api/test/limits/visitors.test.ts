import { describe, expect, test } from 'vitest';
import type { Reply } from '@passerby/sdk/protocol';
import { solveChallenge, type Challenge as AltchaChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2';
import type { App } from '../../src/app.ts';
import { DEFAULT_GUARD } from '../../src/sites/settings.ts';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { RATE_LIMITS } from '../../src/limits/rate-limits.ts';
import { assertTalking, FREE, ORIGIN, pairOf, requestId, siteOf, startTestApp, until, Visitor } from '../harness.ts';
import { REPEATS } from '../../src/moderation/spam-detector.ts';

const strict = { RATE_LIMIT_FACTOR: 1 };
/** Limits that cut nobody for a burst, so that its effects can be observed. */
const patient = { packetsMax: 10_000, packetsMaxBytes: 10_000_000 };
const codeOf = (reply: Reply<unknown>) => (reply.ok ? 'ok' : reply.error.code);

/** Waits until all have confirmed their match: what is answered after it on the same connection was read after it. */
async function confirmed(pairs: readonly Awaited<ReturnType<typeof pairOf>>[]): Promise<void> {
  await Promise.all(pairs.flatMap(({ a, b }) => [a, b]).map((visitor) => visitor.ask('session:check', {})));
}

describe('S6 flood', () => {
  test('of messages is dropped and its sender told once; the neighbours’ messages all arrive', async () => {
    // A clock that stands still: no quota refills while the flood lasts.
    await using app = await startTestApp({ config: strict, bounds: patient, clock: () => 0 });
    await using flooding = await pairOf(app);
    await using neighbours = await pairOf(app);
    await confirmed([flooding, neighbours]);
    for (let seq = 1; seq <= 5_000; seq++) flooding.a.say(flooding.conversationId, seq, `flood ${seq}`);
    for (let seq = 1; seq <= 20; seq++) await assertTalking(neighbours, seq);
    await until(
      () =>
        app.metrics.countOf('passerby_frames_dropped_total', { fault: 'throttled' }) >=
        5_000 - RATE_LIMITS.frames.session.points,
      'it is dropped',
    );
    const { conversationId, retryAfterMs } = await flooding.a.next('conversation:throttled');
    expect(conversationId).toBe(flooding.conversationId);
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(flooding.a.all('conversation:throttled')).toHaveLength(1);
    const heard = flooding.b.all('conversation:frame').map(({ seq }) => seq);
    expect(heard).toEqual(Array.from({ length: RATE_LIMITS.messages.session.points }, (_, index) => index + 1));
    expect(flooding.b.all('conversation:throttled')).toEqual([]);
  });

  test('of typing is dropped silently', async () => {
    await using app = await startTestApp({ config: strict, bounds: patient });
    await using pair = await pairOf(app);
    await confirmed([pair]);
    const frame = {
      conversationId: pair.conversationId,
      run: 'run',
      seq: 0,
      ack: 0,
      body: { kind: 'typing', on: true },
    };
    for (let count = 0; count < 1_000; count++) pair.a.socket.emit('conversation:frame', frame);
    await until(
      () => app.metrics.countOf('passerby_frames_dropped_total', { fault: 'throttled' }) >= 500,
      'it is dropped',
    );
    expect(pair.a.all('conversation:throttled')).toEqual([]);
    await pair.b.next('conversation:frame');
  });

  test('of requests is refused, each of them once, until the announced time', async () => {
    await using app = await startTestApp({ config: strict });
    await using visitor = await Visitor.arrive(app);
    const replies: Reply<unknown>[] = [];
    for (let count = 0; count < 100; count++) replies.push(await visitor.ask('session:check', {}));
    const refused = replies.filter(({ ok }) => !ok);
    expect(new Set(refused.map(codeOf))).toEqual(new Set(['rate_limited']));
    expect(refused.length).toBeGreaterThan(40);
    const last = refused.at(-1)!;
    const waitMs = last.ok ? 0 : last.error.retryAfterMs!;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    expect(codeOf(await visitor.ask('session:check', {}))).toBe('ok');
  });

  test('of concurrent requests is refused beyond a few', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await using app = await startTestApp({
      handlers: { 'session:check': () => held.then(() => ({ status: 'here' as const })) },
    });
    await using visitor = await Visitor.arrive(app);
    const replies = Array.from({ length: CONNECTION_LIMITS.requestsMax + 4 }, () => visitor.ask('session:check', {}));
    await until(
      () => app.metrics.countOf('passerby_incidents_total', { kind: 'requests_under_way' }) === 4,
      'four are refused',
    );
    release();
    const codes = (await Promise.all(replies)).map(codeOf);
    expect(codes.filter((code) => code === 'ok')).toHaveLength(CONNECTION_LIMITS.requestsMax);
    expect(codeOf(await visitor.ask('session:check', {}))).toBe('ok');
  });

  test('of unknown events is refused as well', async () => {
    await using app = await startTestApp({ config: strict });
    await using visitor = await Visitor.arrive(app);
    const codes: string[] = [];
    for (let count = 0; count < 60; count++) codes.push(codeOf((await visitor.send('nonsense', {})) as Reply<unknown>));
    expect(codes[0]).toBe('bad_request');
    expect(codes).toContain('rate_limited');
  });
});

describe('searches', () => {
  test('and skips of one session are limited; leaving is not', async () => {
    await using app = await startTestApp({ config: strict });
    await using pair = await pairOf(app);
    const { a, conversationId } = pair;
    const { points } = RATE_LIMITS.searches.session;
    await a.ask('conversation:leave', { conversationId });
    const codes: string[] = [];
    for (let count = 0; count < points + 3; count++) codes.push(codeOf(await a.find()));
    expect(codes.slice(0, points - 1)).toEqual(Array(points - 1).fill('ok'));
    expect(codes.at(-1)).toBe('rate_limited');
    const skip = { conversationId, next: { requestId: requestId() } };
    expect(codeOf(await a.ask('conversation:leave', skip))).toBe('rate_limited');
    expect(codeOf(await a.ask('conversation:leave', { conversationId }))).toBe('ok');
  });

  test('S7 of one address are limited, however many sessions make them', async () => {
    await using app = await startTestApp({ config: strict });
    const codes: string[] = [];
    for (let sessions = 0; sessions < 20; sessions++) {
      await using visitor = await Visitor.arrive(app);
      for (let count = 0; count < 5; count++) codes.push(codeOf(await visitor.find()));
      await visitor.ask('session:close', {});
    }
    const found = codes.filter((code) => code === 'ok').length;
    expect(found).toBeGreaterThanOrEqual(RATE_LIMITS.searches.address.points);
    expect(found).toBeLessThanOrEqual(RATE_LIMITS.searches.address.points + 5);
    expect(codes.at(-1)).toBe('rate_limited');
  });

  test('are processed in order: a cancel right behind a search leaves the queue', async () => {
    await using app = await startTestApp({ config: strict });
    await using visitor = await Visitor.arrive(app);
    const [, cancelled] = await Promise.all([visitor.find(), visitor.ask('match:cancel', {})]);
    expect(cancelled).toEqual({ ok: true, data: { status: 'cancelled' } });
    await using other = await Visitor.arrive(app);
    expect(await other.find()).toEqual({ ok: true, data: { status: 'waiting' } });
  });
});

test('a late process refuses new sessions, and serves visitors who wait, talk or resume', async () => {
  let delayMs = 0;
  await using app = await startTestApp({ load: { delayMs: () => delayMs } });
  await using pair = await pairOf(app);
  const waiting = await Visitor.arrive(app);
  await waiting.find({ seeks: ['nobody'] });
  delayMs = 1_000;
  await using late = new Visitor(app);
  const refused = await late.next('session:refused');
  expect(refused).toMatchObject({ code: 'unavailable' });
  expect(refused.retryAfterMs).toBeGreaterThanOrEqual(2_000);
  await until(() => !late.socket.connected, 'it is closed');
  await assertTalking(pair, 1);
  await waiting.next('match:status');
  waiting.cut();
  await using back = await Visitor.arrive(app, { auth: { resume: waiting.ready.resume } });
  expect(back.ready).toMatchObject({ recovered: true, state: { status: 'waiting' } });
  delayMs = 0;
  await using inTime = await Visitor.arrive(app);
  expect(inTime.ready.recovered).toBe(false);
});

const guarded = (proofOfWork: 'always' | 'under_pressure') => ({
  ...siteOf('pk_test_shop', [ORIGIN], {}, FREE),
  guard: { ...DEFAULT_GUARD, proofOfWork },
});

/** Requests a challenge, solves it as a browser does, and submits the solution. */
async function prove(visitor: Visitor): Promise<Reply<unknown>> {
  const reply = await visitor.ask('session:challenge', {});
  if (!reply.ok) return reply;
  const { challenge } = reply.data;
  const solution = await solveChallenge({ challenge: challenge as unknown as AltchaChallenge, deriveKey });
  return visitor.ask('session:prove', { solution: btoa(JSON.stringify({ challenge, solution })) });
}

describe('proof of work', () => {
  test('is required before a search if the site always requires it, once a session', async () => {
    await using app = await startTestApp({ siteList: [guarded('always')] });
    await using visitor = await Visitor.arrive(app);
    expect(codeOf(await visitor.find())).toBe('proof_needed');
    expect(await prove(visitor)).toEqual({ ok: true, data: { status: 'proven' } });
    expect(codeOf(await visitor.find())).toBe('ok');
    await visitor.ask('match:cancel', {});
    expect(codeOf(await visitor.find())).toBe('ok');
  });

  test('is required under pressure only; visitors in conversation can leave, and not skip', async () => {
    let delayMs = 0;
    await using app = await startTestApp({ siteList: [guarded('under_pressure')], load: { delayMs: () => delayMs } });
    await using pair = await pairOf(app);
    const { a, conversationId } = pair;
    delayMs = 150;
    const skip = () => a.ask('conversation:leave', { conversationId, next: { requestId: requestId() } });
    expect(codeOf(await skip())).toBe('proof_needed');
    await assertTalking(pair, 1);
    await prove(a);
    expect(await skip()).toEqual({ ok: true, data: { status: 'left', next: 'waiting' } });
  });

  test('is required of a visitor who repeats a text to many, who is then matched with nobody; their peers receive it all the same', async () => {
    const bans: unknown[] = [];
    await using app = await startTestApp({
      siteList: [guarded('under_pressure')],
      config: { TRUSTED_HOPS: 1 },
      records: {
        reports: {
          add: () => Promise.resolve({ isNew: true }),
          reportersOf: () => Promise.resolve(0),
          forget: () => Promise.resolve(),
        },
        bans: { add: (ban) => Promise.resolve(bans.push(ban)), lastLift: () => Promise.resolve(null) },
      },
    });
    const codes = await saysToMany(app, REPEATS.spam + 5);
    expect(codes.slice(0, 5)).toEqual(Array(5).fill('ok'));
    expect(codes[5]).toBe('proof_needed');
    expect(codes.slice(6)).toEqual(Array(REPEATS.spam - 1).fill('ok'));
    expect(bans).toEqual([
      expect.objectContaining({ kind: 'address', reason: 'spam', value: expect.any(String) as string }),
    ]);
  });
});

/**
 * Visitor who is matched with one after the other and sends them the same text, and solves requested proofs. Returns
 * the answer to each first search.
 */
async function saysToMany(app: App, count: number): Promise<string[]> {
  await using speaker = await Visitor.arrive(app);
  const codes: string[] = [];
  for (let index = 0; index < count; index++) {
    const code = codeOf(await speaker.find());
    codes.push(code);
    if (code === 'proof_needed') {
      await prove(speaker);
      await speaker.find();
    }
    await using peer = await Visitor.arrive(app, { from: '198.51.100.7' });
    expect(codeOf(await peer.find())).toBe('ok');
    const { conversationId } = await speaker.next('conversation:started');
    speaker.say(conversationId, 1, 'Buy watches at watches.example!');
    expect((await peer.next('conversation:frame')).body['text']).toContain('watches');
    await speaker.ask('conversation:leave', { conversationId });
  }
  return codes;
}
