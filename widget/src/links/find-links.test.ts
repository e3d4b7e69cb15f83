import { describe, expect, it, test } from 'vitest';
import { findLinks } from './find-links.ts';

const links = (text: string) => findLinks(text).flatMap(({ text: shown, link }) => (link ? [[shown, link.href]] : []));
const texts = (text: string) => findLinks(text).map((piece) => piece.text);

describe('link', () => {
  it('is found in a sentence, without its final punctuation', () => {
    expect(texts('See https://example.org/a?b=c#d, then (https://example.org/x).')).toEqual([
      'See ',
      'https://example.org/a?b=c#d',
      ', then (',
      'https://example.org/x',
      ').',
    ]);
  });

  it('keeps balanced brackets', () => {
    expect(links('https://example.org/wiki/Night_(train)')[0]![0]).toBe('https://example.org/wiki/Night_(train)');
  });

  it.each(['https://example.org', 'HTTPS://EXAMPLE.ORG/Path', 'https://a.b.example.org:8443/', 'https://192.0.2.1/x'])(
    'may be %s',
    (text) => expect(links(text)).toHaveLength(1),
  );
});

describe('text without a link', () => {
  test.each([
    'http://example.org',
    'ftp://example.org',
    '//example.org',
    'www.example.org',
    'javascript:alert(1)',
    'javascript://example.org/%0aalert(1)',
    'data:text/html,https',
    'xhttps://example.org',
    'https://',
    'https://.',
    'https://localhost/',
    'https://[::1]/',
    'https://user@example.org/',
    'https://user:pass@example.org/',
    'https://example.org@evil.example/',
    'https://example.org%40evil.example/',
    'https:\\\\example.org',
    'https:/example.org',
    'https://exa mple',
    'https://https://example.org',
  ])('is %s', (text) => {
    expect(links(text)).toEqual([]);
    expect(texts(text).join('')).toBe(text);
  });
});

describe('deceptive host', () => {
  test.each([
    ['letters of another script', 'https://аpple.com/', 'https://xn--pple-43d.com/'],
    ['a name in its own script', 'https://пример.испытание/x', 'https://xn--e1afmkfd.xn--80akhbyknj4f/x'],
    ['full-width letters', 'https://ｅｘａｍｐｌｅ.org/', 'https://example.org/'],
    ['another full stop', 'https://good。example/', 'https://good.example/'],
    ['an encoded dot', 'https://good%2eexample/', 'https://good.example/'],
    ['the default port', 'https://example.org:443/', 'https://example.org/'],
    ['a number in other digits', 'https://0xc0.0.2.1/', 'https://192.0.2.1/'],
  ])('is shown as the browser parses it: %s', (_, text, shown) => {
    expect(links(text)).toEqual([[shown, shown]]);
  });

  it('ends before an invisible character', () => {
    expect(links('https://good.example\u200b.evil.example/')).toEqual([
      ['https://good.example', 'https://good.example/'],
    ]);
    expect(links('https://good.example\u00ad.evil.example/')[0]![0]).toBe('https://good.example');
  });
});
