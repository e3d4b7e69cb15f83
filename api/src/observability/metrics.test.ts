import { describe, expect, test } from 'vitest';
import { Refusal } from '../errors.ts';
import type { StateStore } from '../state/state-store.ts';
import { METRICS } from './metrics-table.ts';
import { Metrics } from './metrics.ts';
import { observedStore } from '../state/observed-store.ts';

test('has every metric of the table and no other', async () => {
  const text = await new Metrics().text();
  const named = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
  expect(Object.fromEntries(named)).toEqual(
    Object.fromEntries(Object.entries(METRICS).map(([name, { type }]) => [name, type])),
  );
});

test('a counter exists before it counts, with every label value', async () => {
  expect(await new Metrics().text()).toContain('passerby_ends_total{reason="service_reset"} 0\n');
});

test('two services in one process count separately', async () => {
  const [one, other] = [new Metrics(), new Metrics()];
  one.count('passerby_ends_total', { reason: 'idle' });
  expect(await one.text()).toContain('passerby_ends_total{reason="idle"} 1\n');
  expect(await other.text()).toContain('passerby_ends_total{reason="idle"} 0\n');
});

test('a scrape shows the counts so far, however often it is repeated', async () => {
  const metrics = new Metrics();
  metrics.count('passerby_frames_dropped_total', { fault: 'not_paired' });
  metrics.count('passerby_refusals_total', { door: 'request', code: 'rate_limited' });
  metrics.count('passerby_incidents_total', { kind: 'slow_reader' });
  await metrics.text();
  const text = await metrics.text();
  expect(text).toContain('passerby_frames_dropped_total{fault="not_paired"} 1\n');
  expect(text).toContain('passerby_refusals_total{door="request",code="rate_limited"} 1\n');
  expect(text).toContain('passerby_incidents_total{kind="slow_reader"} 1\n');
});

test('a counter resolved in advance is the counter of its labels', () => {
  const metrics = new Metrics();
  const refused = metrics.counter('passerby_refusals_total', { door: 'http', code: 'not_found' });
  const dropped = metrics.countersBy('passerby_frames_dropped_total', 'fault');
  refused.increment();
  metrics.count('passerby_refusals_total', { code: 'not_found', door: 'http' }, 2);
  dropped.throttled.increment();
  expect(metrics.countOf('passerby_refusals_total', { door: 'http', code: 'not_found' })).toBe(3);
  expect(metrics.countOf('passerby_refusals_total', { door: 'request', code: 'not_found' })).toBe(0);
  expect(metrics.countOf('passerby_frames_dropped_total', { fault: 'throttled' })).toBe(1);
});

test('a gauge shows what is read at the scrape', async () => {
  const metrics = new Metrics();
  let count = 5;
  metrics.read('passerby_waiting', () => [[{}, count]]);
  expect(await metrics.text()).toContain('passerby_waiting 5\n');
  count = 7;
  expect(await metrics.text()).toContain('passerby_waiting 7\n');
});

describe('observed store', () => {
  const storeOf = (answers: Partial<Record<keyof StateStore, unknown>>) =>
    ({ kind: 'memory', ...answers }) as StateStore;
  const session = {} as Parameters<StateStore['cancel']>[0];

  test("returns the store's replies, and counts each call", async () => {
    const metrics = new Metrics();
    const store = observedStore(storeOf({ online: () => Promise.resolve(7) }), metrics);
    expect(await store.online('site_a' as never)).toBe(7);
    expect(await metrics.text()).toContain('passerby_store_seconds_count{transition="online"} 1\n');
  });

  test.each([
    ['a refusal is an answer', new Refusal('session_gone'), 0],
    ['an unknown outcome is a failure', new Refusal('unavailable'), 1],
    ['a bug is a failure', new Error('bug'), 1],
  ])('%s', async (_, thrown, failures) => {
    const metrics = new Metrics();
    const store = observedStore(storeOf({ cancel: () => Promise.reject(thrown) }), metrics);
    await expect(store.cancel(session)).rejects.toBe(thrown);
    const text = await metrics.text();
    expect(text).toContain(`passerby_store_failures_total{transition="cancel"} ${failures}\n`);
    expect(text).toContain('passerby_store_seconds_count{transition="cancel"} 1\n');
  });
});
