import { describe, expect, it, test } from 'vitest';
import type { SiteId } from '../domain/ids.ts';
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

test('S17 a hash distinguishes addresses and sites, and contains neither', async () => {
  const { hasher } = await hasherAt(MIDNIGHT);
  const [hash, ...wider] = hasher.hash(HOME, A);
  expect(hash).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(wider).toEqual([]);
  expect(hasher.hash(HOME, A)).toEqual([hash]);
  const others = [hasher.hash('198.51.100.2', A), hasher.hash(HOME, B), hasher.hash(HOME, '')];
  expect(new Set([hash, ...others.flat()]).size).toBe(4);
});

describe('hashes of an IPv6 address', () => {
  it.each([
    ['of the same /64 are all the same', '2001:db8:aa:1::1', '2001:db8:aa:1:ffff::2', [true, true, true]],
    ['of the same /56 differ in the /64', '2001:db8:aa:1::1', '2001:db8:aa:ff::1', [false, true, true]],
    ['of the same /48 differ in the /64 and the /56', '2001:db8:aa:1::1', '2001:db8:aa:100::1', [false, false, true]],
    ['of another /48 are all different', '2001:db8:aa:1::1', '2001:db8:ab:1::1', [false, false, false]],
  ])('%s', async (_, one, other, same) => {
    const { hasher } = await hasherAt(MIDNIGHT);
    const [a, b] = [hasher.hash(one, A), hasher.hash(other, A)];
    expect(a.map((hash, step) => hash === b[step])).toEqual(same);
    expect(new Set(a).size).toBe(3);
  });
});

test('each day has another hash; that of the day before is known too, an older one is not', async () => {
  const { hasher, salts, goTo } = await hasherAt(MIDNIGHT + HOUR_MS);
  const first = hasher.hash(HOME, A);
  goTo(MIDNIGHT + 25 * HOUR_MS);
  await salts.refresh();
  const second = hasher.hash(HOME, A);
  expect(second).not.toEqual(first);
  expect(hasher.hashes(HOME, A)).toEqual([second, first]);
  goTo(MIDNIGHT + 49 * HOUR_MS);
  await salts.refresh();
  expect(hasher.hashes(HOME, A)[1]).toEqual(second);
  expect(hasher.hashes(HOME, A)).not.toContainEqual(first);
});

test('a salt is fetched before its day, used from midnight on, and kept until the next day is over', async () => {
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
  expect(hasher.hash(HOME, A)).toEqual(today);
  goTo(MIDNIGHT + 24 * HOUR_MS);
  expect(hasher.hashes(HOME, A)[1]).toEqual(today);
});

test('the last salt stays in use while the source is unavailable', async () => {
  let isAway = false;
  const { hasher, salts, goTo } = await hasherAt(MIDNIGHT, (day) =>
    isAway ? Promise.reject(new Error('away')) : Promise.resolve(day),
  );
  const before = hasher.hash(HOME, A);
  isAway = true;
  goTo(MIDNIGHT + 25 * HOUR_MS);
  await expect(salts.refresh()).rejects.toThrow('away');
  expect(hasher.hash(HOME, A)).toEqual(before);
  isAway = false;
  await salts.refresh();
  expect(hasher.hashes(HOME, A)).toEqual([[expect.not.stringMatching(before[0])], before]);
});

test('nothing is hashed without a salt', () => {
  const hasher = new AddressHasher(new Salts(() => MIDNIGHT, ownSalts));
  expect(() => hasher.hash(HOME, A)).toThrow('before refresh()');
});

test('a connected visitor is rehashed with each new salt, once', async () => {
  const { hasher, salts, goTo } = await hasherAt(MIDNIGHT + HOUR_MS);
  const hashes = hasher.follow('2001:db8::1', A);
  const first = hashes();
  expect(hashes()).toBe(first);
  goTo(MIDNIGHT + 25 * HOUR_MS);
  await salts.refresh();
  expect(hashes()).toEqual([hasher.hash('2001:db8::1', A), first[0]]);
});

test('a different salt of the source is adopted', async () => {
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
  expect(hasher.hash(HOME, A)).toEqual(today);
});
