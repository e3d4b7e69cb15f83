import { expect, it } from 'vitest';
import { readOptions } from './options.ts';

const around = {
  moduleUrl: 'https://chat.example.org/passerby-chat.js?v=1',
  pagePath: '/stories/night-train',
  pageLang: 'en',
};
const read = (attributes: Record<string, string>, more = {}) =>
  readOptions((name) => attributes[name] ?? null, { ...around, ...more });

it('needs nothing but a site key', () => {
  expect(read({ site: 'pk_test_demo' })).toEqual({
    site: 'pk_test_demo',
    scope: '',
    api: 'https://chat.example.org',
    topic: '/stories/night-train',
    lang: 'en',
    label: undefined,
    color: undefined,
    isInline: false,
  });
});

it('takes the service from where its own file came from, unless told', () => {
  expect(read({ site: 'pk_test_demo', api: 'https://other.example:8443/' }).api).toBe('https://other.example:8443');
});

it('does not take the site for the service where a bundle of the site holds it', () => {
  expect(read({ site: 'pk_test_demo' }, { moduleUrl: 'https://shop.example/assets/index-4f2a.js' }).api).toBe('');
});

it('leaves an address it cannot read to the SDK, which says what is wrong with it', () => {
  expect(read({ api: 'http://' }).api).toBe('http://');
});

it('takes an empty topic as none, and cuts a long one', () => {
  expect(read({ topic: '' }).topic).toBe('');
  expect(read({ topic: 'x'.repeat(999) }).topic).toHaveLength(200);
});

it('does not trust the page to name a language', () => {
  expect(read({ lang: 'english please' }).lang).toBeUndefined();
  expect(read({}, { pageLang: '' }).lang).toBeUndefined();
  expect(read({ lang: 'pt-BR' }).lang).toBe('pt-BR');
});

it('stands inline by the attribute alone', () => expect(read({ inline: '' }).isInline).toBe(true));
