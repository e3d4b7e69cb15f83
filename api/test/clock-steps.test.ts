import { expect, describe, it } from 'vitest';
import { RATE_LIMITS } from '../src/limits/rate-limits.ts';
import { FREE, pairOf, SHOP, siteOf, startTestApp, Visitor, type TestAppParts } from './harness.ts';

const HOUR_MS = 3_600_000;
const SHOP_FREE = siteOf(SHOP.key, undefined, {}, FREE);

/** A service whose wall clock a test sets, while durations are measured with another one. */
async function startSteppable(parts: TestAppParts = {}) {
  let [date, monotonic] = [1_800_000_000_000, 5_000];
  const app = await startTestApp({ dates: () => date, ...parts, clock: () => monotonic });
  return {
    app,
    step: (byMs: number) => void (date += byMs),
    /** Advances both clocks. */
    pass: (ms: number) => {
      date += ms;
      monotonic += ms;
    },
    [Symbol.asyncDispose]: () => app.stop(),
  };
}

/** Waits for two rounds of the service: one is over once a waiting visitor is told the second time. */
async function roundsOf({ pass }: { pass: (ms: number) => void }, waiting: Visitor): Promise<void> {
  for (let round = 0; round < 2; round++) {
    pass(2_000);
    await waiting.next('match:status');
  }
}

describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('step of the machine’s clock %s by an hour', (_, byMs) => {
  it('does not affect two visitors who fit only after a while', async () => {
    await using the = await startSteppable();
    await using a = await Visitor.arrive(the.app);
    await using b = await Visitor.arrive(the.app);
    await a.find({ topic: '/news/a' });
    await b.find({ topic: '/sport/b' });
    the.step(byMs);
    the.pass(2_999);
    expect((await a.next('match:status')).waitingForMs).toBe(2_999);
    expect(a.all('conversation:started')).toEqual([]);
    the.pass(1);
    await Promise.all([a.next('conversation:started'), b.next('conversation:started')]);
  });

  it('ends no conversation', async () => {
    await using the = await startSteppable({
      siteList: [siteOf(SHOP.key, undefined, { inactivityMs: 600_000 }, FREE)],
    });
    await using pair = await pairOf(the.app);
    await using waiting = await Visitor.arrive(the.app);
    await waiting.find({ seeks: ['nobody'] });
    the.step(byMs);
    await roundsOf(the, waiting);
    pair.a.say(pair.conversationId, 1, 'still there?');
    await pair.b.next('conversation:frame');
    expect(pair.a.all('conversation:ended')).toEqual([]);
  });

  it('neither ends nor prolongs the grace period', async () => {
    await using the = await startSteppable({ siteList: [SHOP_FREE] });
    await using pair = await pairOf(the.app);
    await using waiting = await Visitor.arrive(the.app);
    await waiting.find({ seeks: ['nobody'] });
    pair.b.cut();
    await pair.a.next('conversation:peer');
    the.step(byMs);
    await roundsOf(the, waiting);
    expect(pair.a.all('conversation:ended')).toEqual([]);
    the.pass(60_000);
    expect((await pair.a.next('conversation:ended')).reason).toBe('peer_lost');
  });

  it('relays messages of a throttled visitor after the announced time', async () => {
    await using the = await startSteppable({ siteList: [SHOP_FREE], config: { RATE_LIMIT_FACTOR: 1 } });
    await using pair = await pairOf(the.app);
    const { points } = RATE_LIMITS.messages.session;
    for (let seq = 1; seq <= points + 1; seq++) pair.a.say(pair.conversationId, seq, `${seq}`);
    const { retryAfterMs } = await pair.a.next('conversation:throttled');
    the.step(byMs);
    pair.a.say(pair.conversationId, points + 1, 'too early');
    await pair.a.ask('session:check', {});
    the.pass(retryAfterMs);
    pair.a.say(pair.conversationId, points + 1, 'in time');
    for (let heard = 0; heard < points; heard++) await pair.b.next('conversation:frame');
    expect((await pair.b.next('conversation:frame')).body).toMatchObject({ text: 'in time' });
  });

  it('does not affect the window of a quota', async () => {
    await using the = await startSteppable({ config: { RATE_LIMIT_FACTOR: 1 } });
    const { points, windowMs } = RATE_LIMITS.sessions.address;
    for (let count = 0; count < points; count++) (await Visitor.arrive(the.app)).socket.disconnect();
    the.step(byMs);
    await using refused = new Visitor(the.app);
    expect(await refused.next('session:refused')).toMatchObject({ code: 'rate_limited', retryAfterMs: windowMs });
    the.pass(windowMs);
    await using _arrived = await Visitor.arrive(the.app);
  });

  it('is told to visitors as the present time', async () => {
    await using the = await startSteppable();
    the.step(byMs);
    await using visitor = await Visitor.arrive(the.app);
    expect(visitor.ready.now).toBe(1_800_000_000_000 + byMs);
  });
});
