import { expect, test } from 'vitest';
import { startTestApp, Visitor } from '../harness.ts';

test('L3 a request that takes too long is answered as unavailable within a second, and what it does goes on', async () => {
  let isDone = false;
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    isDone = true;
    return { status: 'waiting' as const };
  };
  await using app = await startTestApp({ handlers: { 'match:find': slow } });
  await using visitor = await Visitor.arrive(app);
  const askedAt = performance.now();
  expect(await visitor.find()).toMatchObject({ ok: false, error: { code: 'unavailable', retryAfterMs: 1_000 } });
  expect(performance.now() - askedAt).toBeGreaterThan(800);
  expect(isDone).toBe(false);
  await expect.poll(() => isDone).toBe(true);
});

test('L3 a failure that comes after the answer harms nobody', async () => {
  const failing = async (): Promise<never> => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    throw new Error('too late for anyone to hear');
  };
  await using app = await startTestApp({ handlers: { 'match:cancel': failing } });
  await using visitor = await Visitor.arrive(app);
  expect(await visitor.ask('match:cancel', {})).toMatchObject({ ok: false, error: { code: 'unavailable' } });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await visitor.find()).toMatchObject({ ok: true });
});
