import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'acorn';
import { expect, test } from 'vitest';

const dist = path.resolve(import.meta.dirname, '../../dist');
const docs = path.resolve(import.meta.dirname, '../../../docs/embedding.md');

/** Oldest browser versions that the docs promise to support. */
const FLOOR = { 'Chrome and Edge': 111, Firefox: 113, Safari: 16.4 };

/**
 * Features that one of the three got after that, with the versions that introduced them, from MDN's compatibility data.
 * Features that are detected before they are used, such as `showPopover`, are not listed.
 */
const YOUNGER: Readonly<Record<string, RegExp>> = {
  'URL.canParse 120/115/17': /\bcanParse\(/,
  'Promise.withResolvers 119/121/17.4': /withResolvers/,
  'Promise.try 128/134/18.2': /Promise\.try\(/,
  'Object.groupBy 117/119/17.4': /\bgroupBy\(/,
  'Array.fromAsync 121/115/16.4': /fromAsync/,
  'Array toSorted and its like 110/115/16': /\.to(Sorted|Reversed|Spliced)\(/,
  'AbortSignal.any 116/124/17.4': /AbortSignal\.any\(/,
  'AbortSignal.timeout 124/100/16': /AbortSignal\.timeout\(/,
  'Set union and its like 122/127/17': /\.(union|symmetricDifference|isSubsetOf|isDisjointFrom)\(/,
  'isWellFormed 111/119/16.4': /sWellFormed\(/,
  'Intl.Segmenter 87/125/14.1': /Intl\.Segmenter/,
  'requestIdleCallback 47/55/-': /requestIdleCallback\(/,
  'regular expressions with v 112/116/17': /\/[dgimsuy]*v[dgimsuy]*[.,;)]/,
  'CSS nesting 120/117/17.2': /[{;]&[ .:>]/,
  'light-dark() 123/120/17.5': /light-dark\(/,
  ':has() 105/121/15.4': /:has\(/,
};

const scripts = (await readdir(dist)).filter((name) => name.endsWith('.js'));

test.each(scripts)('%s uses syntax that the oldest browsers support', async (name) => {
  const code = await readFile(path.join(dist, name), 'utf8');
  const isLoader = name === 'widget.js';
  const options = { ecmaVersion: isLoader ? 2020 : 2022, sourceType: isLoader ? 'script' : 'module' } as const;
  expect(() => parse(code, options)).not.toThrow();
});

test.each(scripts)('%s uses no later feature without detection', async (name) => {
  const code = await readFile(path.join(dist, name), 'utf8');
  expect(Object.keys(YOUNGER).filter((feature) => YOUNGER[feature]!.test(code))).toEqual([]);
});

test('the docs name these versions', async () => {
  const said = Object.entries(FLOOR).map(([browser, version]) => `${browser} ${version}`);
  const text = await readFile(docs, 'utf8');
  for (const words of said) expect(text).toContain(words);
});
