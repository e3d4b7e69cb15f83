import { expect, test } from 'vitest';
import type { SiteId } from '../state/state-store.ts';
import { AddressHasher } from './address-hash.ts';
import { ownSalts, Salts, type SaltSource } from './salts.ts';

const MIDNIGHT = Date.UTC(2026, 10, 22);
const HOUR_MS = 60 * 60_000;
const [A, B] = ['site_a', 'site_b'] as SiteId[] as [SiteId, SiteId];
const HOME = '198.51.100.1';

async function hasherAt(start: number, source: SaltSource = ownSalts) {
  let now = start;
  const salts = new Salts(() => now, source);
  await salts.refresh();
  return { hasher: new AddressHasher(salts), salts, goTo: (time: number) => void (now = time) };
}

test('S17 a hash tells addresses and sites apart, and holds neither', async () => {
  const { hasher } = await hasherAt(MIDNIGHT);
  const hash = hasher.hash(HOME, A);
  expect(hash).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(hasher.hash(HOME, A)).toBe(hash);
  expect(new Set([hash, hasher.hash('198.51.100.2', A), hasher.hash(HOME, B), hasher.hash(HOME, '')]).size).toBe(4);
});

test('every address of an IPv6 /64 is one', async () => {
  const { hasher } = await hasherAt(MIDNIGHT);
  expect(hasher.hash('2001:db8:0:1::1', A)).toBe(hasher.hash('2001:db8:0:1:ffff::2', A));
  expect(hasher.hash('2001:db8:0:1::1', A)).not.toBe(hasher.hash('2001:db8:0:2::1', A));
});

test('another day has another hash; the one of the day before is known too, an older one is not', async () => {
  const { hasher, salts, goTo } = await hasherAt(MIDNIGHT + HOUR_MS);
  const first = hasher.hash(HOME, A);
  goTo(MIDNIGHT + 25 * HOUR_MS);
  await salts.refresh();
  const second = hasher.hash(HOME, A);
  expect(second).not.toBe(first);
  expect(hasher.hashes(HOME, A)).toEqual([second, first]);
  goTo(MIDNIGHT + 49 * HOUR_MS);
  await salts.refresh();
  expect(hasher.hashes(HOME, A)[1]).toBe(second);
  expect(hasher.hashes(HOME, A)).not.toContain(first);
});

test('a salt is fetched before its day, used from midnight on, and asked to live until the next day is over', async () => {
  const asked: [string, number, string | undefined][] = [];
  const { hasher, salts, goTo } = await hasherAt(MIDNIGHT, (day, ttlMs, known) => {
    asked.push([day, ttlMs / HOUR_MS, known]);
    return Promise.resolve(day);
  });
  const today = hasher.hash(HOME, A);
  goTo(MIDNIGHT + 23.5 * HOUR_MS);
  await salts.refresh();
  expect(asked).toEqual([
    ['2026-11-21', 24, undefined],
    ['2026-11-22', 48, undefined],
    ['2026-11-21', 0.5, '2026-11-21'],
    ['2026-11-22', 24.5, '2026-11-22'],
    ['2026-11-23', 48.5, undefined],
  ]);
  expect(hasher.hash(HOME, A)).toBe(today);
  goTo(MIDNIGHT + 24 * HOUR_MS);
  expect(hasher.hashes(HOME, A)[1]).toBe(today);
});

test('while the source is away the last salt goes on', async () => {
  let isAway = false;
  const { hasher, salts, goTo } = await hasherAt(MIDNIGHT, (day) =>
    isAway ? Promise.reject(new Error('away')) : Promise.resolve(day),
  );
  const before = hasher.hash(HOME, A);
  isAway = true;
  goTo(MIDNIGHT + 25 * HOUR_MS);
  await expect(salts.refresh()).rejects.toThrow('away');
  expect(hasher.hash(HOME, A)).toBe(before);
  isAway = false;
  await salts.refresh();
  expect(hasher.hashes(HOME, A)).toEqual([expect.not.stringMatching(before), before]);
});

test('nothing is hashed without a salt', () => {
  const hasher = new AddressHasher(new Salts(() => MIDNIGHT, ownSalts));
  expect(() => hasher.hash(HOME, A)).toThrow('before refresh()');
});

test('a salt that the source has instead is taken over', async () => {
  let epoch = 'first';
  const { hasher, salts } = await hasherAt(MIDNIGHT, (day) => Promise.resolve(`${day} ${epoch}`));
  const before = hasher.hashes(HOME, A);
  epoch = 'second';
  await salts.refresh();
  for (const hash of hasher.hashes(HOME, A)) expect(before).not.toContain(hash);
});

test('a clock that is set back by days and forward again changes no hash, whether the source answers meanwhile or not', async () => {
  let isAway = false;
  const { hasher, salts, goTo } = await hasherAt(MIDNIGHT, (day, _, known) =>
    isAway ? Promise.reject(new Error('away')) : Promise.resolve(known ?? `made up for ${day}`),
  );
  isAway = true;
  const today = hasher.hash(HOME, A);
  goTo(MIDNIGHT - 72 * HOUR_MS);
  await expect(salts.refresh()).rejects.toThrow('away');
  expect(() => hasher.hash(HOME, A)).not.toThrow();
  isAway = false;
  await salts.refresh();
  goTo(MIDNIGHT);
  await salts.refresh();
  expect(hasher.hash(HOME, A)).toBe(today);
});
