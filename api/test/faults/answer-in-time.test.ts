import { expect, test } from 'vitest';
import { startTestApp, Visitor } from '../harness.ts';

test('L3 a request that takes too long is answered unavailable within a second, and its work continues', async () => {
  let isDone = false;
  let finish = (): void => undefined;
  const work = new Promise<void>((resolve) => (finish = resolve));
  const slow = async () => {
    await work;
    isDone = true;
    return { status: 'waiting' as const };
  };
  await using app = await startTestApp({ handlers: { 'match:find': slow } });
  await using visitor = await Visitor.arrive(app);
  const askedAt = performance.now();
  expect(await visitor.find()).toMatchObject({ ok: false, error: { code: 'unavailable', retryAfterMs: 1_000 } });
  expect(performance.now() - askedAt).toBeGreaterThan(800);
  expect(isDone).toBe(false);
  finish();
  await expect.poll(() => isDone).toBe(true);
});

test('L3 a failure after the answer is harmless', async () => {
  let fail = (): void => undefined;
  const work = new Promise<never>((_, reject) => (fail = () => reject(new Error('too late for anyone to hear'))));
  const failing = () => work;
  await using app = await startTestApp({ handlers: { 'match:cancel': failing } });
  await using visitor = await Visitor.arrive(app);
  expect(await visitor.ask('match:cancel', {})).toMatchObject({ ok: false, error: { code: 'unavailable' } });
  fail();
  expect(await visitor.find()).toMatchObject({ ok: true });
});
