import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { sitesFile } from '../src/sites/sites-file.ts';
import { DEFAULT_MATCH_RULES } from '../src/matching/rules.ts';
import { readAsked } from './asked.ts';
import { answer } from './command.ts';
import type { Figures } from './figures.ts';
import { PROFILES } from './profiles.ts';
import { percent, seconds } from './report.ts';

const root = path.join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const page = read('docs/matching.md');

/** Returns the rows of the table whose head begins with this cell, without code marks. */
function table(firstHead: string): string[][] {
  const lines = page.split('\n');
  const head = lines.findIndex((line) => line.startsWith('|') && cellsOf(line)[0] === firstHead);
  if (head < 0) throw new Error(`docs/matching.md has no table "${firstHead}"`);
  const end = lines.findIndex((line, at) => at > head && !line.startsWith('|'));
  return lines.slice(head + 2, end).map(cellsOf);
}

function cellsOf(line: string): string[] {
  const cells = line.split('|').slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll('`', ''));
}

describe('docs/matching.md', () => {
  test('has the default steps', () => {
    const steps = DEFAULT_MATCH_RULES.expansions.map((step) =>
      [step.afterMs, step.reach, step.isInterestNeeded, step.isLanguageNeeded, step.isRepeatAllowed].map(String),
    );
    expect(table('afterMs')).toEqual(steps);
  });

  test('has the default weights', () => {
    const weights = table('weight').map(([name, value]) => [name, Number(value)]);
    expect(Object.fromEntries(weights)).toEqual(DEFAULT_MATCH_RULES.weights);
  });

  test('has every field of `match` with its default, and no other', () => {
    const defaults = Object.entries(DEFAULT_MATCH_RULES).map(([name, value]) => [
      name,
      typeof value === 'object' ? 'as above' : String(value),
    ]);
    expect(table('field').map(([name, value]) => [name, value])).toEqual(
      expect.arrayContaining(defaults as string[][]),
    );
    expect(table('field')).toHaveLength(defaults.length);
  });

  test('shows a sites file that is one', () => {
    const [, json] = /```json\n([\s\S]*?)```/.exec(page)!;
    expect(sitesFile.parse(JSON.parse(json!)).sites).toHaveLength(1);
  });

  test('has the results of the simulation', () => {
    const { profiles } = JSON.parse(read('docs/match-lab/results.json')) as { profiles: Record<string, Figures> };
    const rows = PROFILES.map(({ name, title }) => {
      const { waitMs, gaveUp, nearness, repeats } = profiles[name]!;
      const waits = [waitMs.p50, waitMs.p95, waitMs.max].map((ms) => `${seconds(ms)} s`);
      return [title, ...waits, ...[gaveUp, nearness.page, repeats].map(percent)];
    });
    expect(table('site')).toEqual(rows);
  });

  test('shows the output of the command', async () => {
    const shown = [...page.matchAll(/^( *)```\n *\$ npm run match-lab -- (.*)\n([\s\S]*?)^ *```$/gm)];
    expect(shown.length).toBeGreaterThan(0);
    for (const [, indent, args, text] of shown) {
      const asked = readAsked(
        args!.split(' ').map((arg) => (arg.startsWith('docs/') ? path.join(root, arg) : arg)),
        'docs',
      );
      const printed = (await answer(asked)).text.split('\n').map((line) => indent! + line);
      expect(text!.trimEnd().split('\n')).toEqual(printed);
    }
    // It plays whole crowds.
  });

  test('names existing tests for every invariant, which name it if they are about matching', () => {
    const rules = table('rule');
    const expected = [...Array.from({ length: 14 }, (_, n) => `I${n + 1}`), 'L1', 'L2', 'L3', 'L4'];
    expect(rules.map(([rule]) => rule!.split(' ')[0])).toEqual(expected);
    for (const [rule, tests] of rules) {
      const files = [...tests!.matchAll(/[\w./-]+\.ts/g)].map(([file]) => file);
      expect(files, rule).not.toEqual([]);
      for (const file of files) {
        expect(existsSync(path.join(root, file)), `${file}, for ${rule}`).toBe(true);
        if (!/store-contract|model\.test|invariants\.test|keys/.test(file)) continue;
        expect(new RegExp(`\\b${rule!.split(' ')[0]}\\b`).test(read(file)), `${file} names ${rule}`).toBe(true);
      }
    }
  });
});
