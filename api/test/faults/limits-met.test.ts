import { expect, test } from 'vitest';
import { createChat, type Chat, type ChatError } from '@passerby/sdk';
import type { App } from '../../src/app.ts';
import { FREE, ORIGIN, SHOP, siteOf, startTestApp } from '../harness.ts';

const chatOn = (app: App): Chat => createChat({ url: app.url, site: SHOP.key, origin: ORIGIN });
const statusOf = (chat: Chat) => chat.snapshot().state.status;

/** Two matched chats of the SDK. */
async function meet(app: App): Promise<readonly [Chat, Chat]> {
  const [a, b] = [chatOn(app), chatOn(app)];
  await a.find();
  await b.find();
  await expect.poll(() => [statusOf(a), statusOf(b)]).toEqual(['chatting', 'chatting']);
  return [a, b];
}

test('the SDK solves a required proof of work: two visitors meet on a site that always requires one', async () => {
  const shop = siteOf(SHOP.key, [ORIGIN], {}, FREE);
  const site = { ...shop, guard: { ...shop.guard, proofOfWork: 'always' as const } };
  await using app = await startTestApp({ siteList: [site] });
  const [a, b] = await meet(app);
  await using _a = a;
  await using _b = b;
  expect(app.metrics.countOf('passerby_incidents_total', { kind: 'proof_given' })).toBe(2);
});

test('a burst through the SDK is throttled, and all of it arrives in order', async () => {
  await using app = await startTestApp({
    siteList: [siteOf(SHOP.key, [ORIGIN], {}, FREE)],
    config: { RATE_LIMIT_FACTOR: 1 },
  });
  const [a, b] = await meet(app);
  await using _a = a;
  await using _b = b;
  const heard: string[] = [];
  b.on('message', ({ text }) => heard.push(text));
  const said: string[] = [];
  let refusal: ChatError | null = null;
  for (let n = 1; n <= 1_000 && refusal === null; n++) {
    try {
      a.send(`message ${n}`);
      said.push(`message ${n}`);
    } catch (thrown) {
      // On a machine that is late more wait to be delivered before the service can say a word.
      if ((thrown as ChatError).code !== 'outbox_full') refusal = thrown as ChatError;
    }
    // As fast as no hand types.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(refusal).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) as number });
  expect(said.length).toBeGreaterThanOrEqual(60);
  await expect.poll(() => heard, { timeout: 60_000, interval: 100 }).toEqual(said);
  expect(() => a.send('on we go')).not.toThrow();
});
