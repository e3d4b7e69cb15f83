import type { ConversationId, Frame } from '@passerby/sdk/protocol';
import { expect, test } from 'vitest';
import { timesAt } from '../limits/rate-limits.ts';
import type { AddressHashes, SiteId } from '../domain/ids.ts';
import { SpamDetector, REPEATS } from './spam-detector.ts';

const MINUTE_MS = 60_000;
const [SITE, OTHER] = ['site_a', 'site_b'] as SiteId[] as [SiteId, SiteId];
const SPAM = 'Cheap watches at watches.example!';

function ears() {
  let now = 1_000_000;
  const spammers: string[] = [];
  const texts = new SpamDetector(
    () => now,
    (site, address) => spammers.push(`${site} ${address}`),
  );
  let conversations = 0;
  const say = (
    text: string,
    { from = 'a', site = SITE, conversation = ++conversations, seq = 1, kind = 'text' } = {},
  ) =>
    texts.record(
      site,
      from.split(' ') as unknown as AddressHashes,
      {
        conversationId: `c_${conversation}` as ConversationId,
        seq,
        body: { kind, text },
      } as unknown as Frame,
    );
  const isSuspect = (from = 'a', site = SITE) => texts.isSuspect(site, from.split(' ') as unknown as AddressHashes);
  return { texts, spammers, say, isSuspect, pass: (ms: number) => void (now += ms) };
}

const times = (count: number, act: (index: number) => void) => Array.from({ length: count }, (_, index) => act(index));

test('S18 the same text in five conversations makes an address suspect, in thirty a spammer, reported once', () => {
  const { say, isSuspect, spammers } = ears();
  times(REPEATS.suspect - 1, () => say(SPAM));
  expect(isSuspect()).toBe(false);
  say(SPAM);
  expect(isSuspect()).toBe(true);
  times(REPEATS.spam - REPEATS.suspect - 1, () => say(SPAM));
  expect(spammers).toEqual([]);
  times(10, () => say(SPAM));
  expect(spammers).toEqual(['site_a a']);
});

test('only that address on that site is affected', () => {
  const { say, isSuspect } = ears();
  times(5, () => say(SPAM));
  expect([isSuspect('b'), isSuspect('a', OTHER)]).toEqual([false, false]);
});

test.each([
  [
    'letter case, spaces and signs make no other text of it',
    (n: number) => `${' '.repeat(n)}CHEAP watches -- at watches.example${'!'.repeat(n)}`,
  ],
  ['nor do wide letters', (n: number) => (n % 2 ? SPAM : SPAM.replace('Cheap', 'Ｃｈｅａｐ'))],
])('%s', (_, text) => {
  const { say, isSuspect } = ears();
  times(5, (n) => say(text(n)));
  expect(isSuspect()).toBe(true);
});

test('S27 a text counts whatever its number', () => {
  const { say, isSuspect } = ears();
  times(5, () => say(SPAM, { seq: 0 }));
  expect(isSuspect()).toBe(true);
});

test.each<[string, (say: ReturnType<typeof ears>['say'], n: number) => void]>([
  ['saying it again in one conversation', (say) => say(SPAM, { conversation: 1 })],
  ['a greeting', (say) => say('hello, how are u?')],
  ['other words each time', (say, n) => say(`${SPAM} ${n}`)],
  ['what is no text', (say) => say(SPAM, { kind: 'sticker' })],
  ['somebody else each time', (say, n) => say(SPAM, { from: `a${n}` })],
])('%s is no reason', (_, act) => {
  const { say, isSuspect, spammers } = ears();
  times(30, (n) => act(say, n));
  expect(isSuspect()).toBe(false);
  expect(spammers).toEqual([]);
});

test('texts older than fifteen minutes do not count, and suspicion ends as well', () => {
  const { say, isSuspect, pass } = ears();
  times(4, () => say(SPAM));
  pass(15 * MINUTE_MS);
  say(SPAM);
  expect(isSuspect()).toBe(false);
  times(4, () => say(SPAM));
  expect(isSuspect()).toBe(true);
  pass(15 * MINUTE_MS);
  expect(isSuspect()).toBe(false);
});

test('S18 other texts in between do not reset the count', () => {
  const { say, isSuspect, spammers } = ears();
  times(REPEATS.spam, (round) => {
    times(5, (decoy) => say(`Decoy number ${round}, and a letter: ${'abcde'[decoy]}`));
    say(SPAM);
  });
  expect(isSuspect()).toBe(true);
  expect(spammers).toEqual(['site_a a']);
});

test('S18 nor do hundreds, once it was repeated', () => {
  const { say, isSuspect } = ears();
  times(2, () => say(SPAM));
  times(REPEATS.suspect - 2, (round) => {
    times(300, (decoy) => say(`Decoy number ${round}, and a number: ${decoy}`));
    say(SPAM);
  });
  expect(isSuspect()).toBe(true);
});

test('S18 the oldest texts are dropped first', () => {
  const { say, isSuspect, pass } = ears();
  times(30, (n) => times(4, () => say(`Decoy that is said again: ${n}`)));
  pass(15 * MINUTE_MS);
  times(REPEATS.suspect, (round) => {
    say(SPAM);
    times(50, (decoy) => say(`Decoy number ${round}, and a number: ${decoy}`));
  });
  expect(isSuspect()).toBe(true);
});

test('S18 an address that varies between several texts is suspect as well', () => {
  const { say, isSuspect } = ears();
  const advert = (n: number) => `${SPAM} Offer ${'abcdef'[n]} for you`;
  times(REPEATS.suspect, () => times(6, (n) => say(advert(n))));
  expect(isSuspect()).toBe(true);
});

test('a quiet address is forgotten', () => {
  const { texts, say, pass } = ears();
  times(20, (n) => say(`${SPAM} ${n}`));
  pass(15 * MINUTE_MS);
  say(SPAM, { from: 'b' });
  expect(texts.size).toBe(1);
});

test('memory is bounded for many addresses', () => {
  const { texts, say } = ears();
  times(3_000, (n) => say(SPAM, { from: `a${n}` }));
  expect(texts.size).toBe(2_000);
});

test('S32 the same text from several /64 counts for the /56 and the /48, and its senders are reported', () => {
  const { say, isSuspect, spammers } = ears();
  const spamOf56 = REPEATS.spam * timesAt(1);
  times(spamOf56 - 1, (n) => say(SPAM, { from: `n${n} /56 /48` }));
  expect(spammers).toEqual([]);
  expect([isSuspect('new /56 /48'), isSuspect('new /56b /48'), isSuspect('new /56b /48b')]).toEqual([
    true,
    true,
    false,
  ]);
  say(SPAM, { from: 'last /56 /48' });
  say(SPAM, { from: 'next /56 /48' });
  say('Something else, and long enough too', { from: 'neighbour /56 /48' });
  expect(spammers).toEqual(['site_a last', 'site_a next']);
});

test('frames of one conversation count once for a network too', () => {
  const { say, isSuspect } = ears();
  times(100, () => say(SPAM, { from: 'a /56 /48', conversation: 1 }));
  expect(isSuspect('b /56 /48')).toBe(false);
});
