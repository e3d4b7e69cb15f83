import type { Asked } from './asked.ts';
import type { Figures } from './figures.ts';
import { runLab } from './lab.ts';
import { plotOf } from './plot.ts';
import { jsonOf, tableOf } from './report.ts';

/** Output of the command, and the files it writes, by name. */
export interface Answer {
  readonly text: string;
  readonly files: Readonly<Record<string, string>>;
}

export async function answer({ seed, profiles, rules, compare }: Omit<Asked, 'out'>): Promise<Answer> {
  if (compare === null) {
    const result = await runLab(seed, profiles, rules);
    const rows = result.profiles.map(({ profile, figures }) => ({ name: profile.name, figures }));
    return { text: tableOf(rows), files: { 'results.json': jsonOf(result), 'waits.svg': plotOf(result) } };
  }
  const rows: { name: string; figures: Figures }[] = [];
  for (const profile of profiles) {
    for (const value of compare.values) {
      const weights = { ...rules.weights, [compare.weight]: value };
      const { figures } = (await runLab(seed, [profile], { ...rules, weights })).profiles[0]!;
      rows.push({ name: `${profile.name}, ${compare.weight} ${value}`, figures });
    }
  }
  return { text: tableOf(rows), files: {} };
}
