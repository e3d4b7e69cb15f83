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

it('uses the origin of its own file as the service by default', () => {
  expect(read({ site: 'pk_test_demo', api: 'https://other.example:8443/' }).api).toBe('https://other.example:8443');
});

it("does not use the origin of a site's bundle as the service", () => {
  expect(read({ site: 'pk_test_demo' }, { moduleUrl: 'https://shop.example/assets/index-4f2a.js' }).api).toBe('');
});

it('passes an invalid address to the SDK, which reports the fault', () => {
  expect(read({ api: 'http://' }).api).toBe('http://');
});

it('treats an empty topic as none, and truncates a long one', () => {
  expect(read({ topic: '' }).topic).toBe('');
  expect(read({ topic: 'x'.repeat(999) }).topic).toHaveLength(200);
});

it('validates the language of the page', () => {
  expect(read({ lang: 'english please' }).lang).toBeUndefined();
  expect(read({}, { pageLang: '' }).lang).toBeUndefined();
  expect(read({ lang: 'pt-BR' }).lang).toBe('pt-BR');
});

it('is inline by the attribute alone', () => expect(read({ inline: '' }).isInline).toBe(true));
