import type { Figures } from './figures.ts';
import type { Result } from './lab.ts';

/** Returns the results as a JSON file: milliseconds whole, everything else to six places. */
export function jsonOf({ seed, rules, profiles }: Result): string {
  const { weights, expansions } = rules;
  const figures = Object.fromEntries(profiles.map(({ profile, figures }) => [profile.name, figures]));
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Math.round(value * 1e6) / 1e6 : value);
  return `${JSON.stringify({ seed, weights, expansions, profiles: wholeMs(figures) }, rounded, 2)}\n`;
}

function wholeMs(profiles: Readonly<Record<string, Figures>>): unknown {
  const whole = (key: string, value: unknown): unknown =>
    key === 'waitMs'
      ? Object.fromEntries(Object.entries(value as object).map(([name, ms]) => [name, Math.round(ms as number)]))
      : value;
  return JSON.parse(JSON.stringify(profiles, whole));
}

const COLUMNS: readonly (readonly [head: string, cell: (figures: Figures) => string])[] = [
  ['p50 s', ({ waitMs }) => seconds(waitMs.p50)],
  ['p95 s', ({ waitMs }) => seconds(waitMs.p95)],
  ['max s', ({ waitMs }) => seconds(waitMs.max)],
  ['gave up', ({ gaveUp }) => percent(gaveUp)],
  ['same page', ({ nearness }) => percent(nearness.page)],
  ['shared', ({ sharedInterests }) => sharedInterests.toFixed(2)],
  ['repeats', ({ repeats }) => percent(repeats)],
  ['Jain', ({ jain }) => jain.toFixed(3)],
];

/** Returns one line for each profile and variant, for a terminal. */
export function tableOf(rows: readonly { readonly name: string; readonly figures: Figures }[]): string {
  const table = [
    ['', ...COLUMNS.map(([head]) => head)],
    ...rows.map(({ name, figures }) => [name, ...COLUMNS.map(([, cell]) => cell(figures))]),
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return table.map(line).join('\n');
}

export function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
