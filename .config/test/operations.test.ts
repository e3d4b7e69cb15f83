import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { METRICS, type MetricName, type MetricRow } from '../../api/src/observability/metrics-table.ts';
import { ERRORS } from '@passerby/sdk/protocol';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): Promise<string> => readFile(path.join(root, file), 'utf8');
const table: Record<string, MetricRow> = METRICS;

/** Labels that Prometheus adds itself. */
const ADDED_LABELS = ['instance', 'job'];
const SUFFIXES: Record<MetricRow['type'], readonly string[]> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};
const SERIES = new Map(
  Object.entries(table).flatMap(([name, row]) => SUFFIXES[row.type].map((suffix) => [name + suffix, row] as const)),
);

/** Returns the metrics and labels of a PromQL expression that the service does not have. */
function unknownIn(expression: string): string[] {
  const unknown: string[] = [];
  const labels = new Set(ADDED_LABELS);
  for (const [, name, , matchers] of expression.matchAll(/\b(passerby_\w+)(\{([^}]*)\})?/g)) {
    const row = SERIES.get(name!);
    if (row === undefined) {
      unknown.push(name!);
      continue;
    }
    for (const label of Object.keys(row.labels)) labels.add(label);
    if (name!.endsWith('_bucket')) labels.add('le');
    for (const [, label, operator, value] of (matchers ?? '').matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)) {
      const values = operator!.includes('~') ? value!.split('|') : [value!];
      const known = row.labels[label!] ?? [];
      unknown.push(...values.filter((one) => !known.includes(one)).map((one) => `${name}{${label}="${one}"}`));
    }
  }
  for (const [, list] of expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)) {
    const used = list!.split(',').map((label) => label.trim());
    unknown.push(...used.filter((label) => label !== '' && !labels.has(label)).map((label) => `by (${label})`));
  }
  return unknown;
}

function metricsIn(expressions: readonly string[]): Set<MetricName> {
  const names = expressions.flatMap((expression) => [...expression.matchAll(/\bpasserby_\w+/g)].map(([name]) => name));
  return new Set(
    (Object.keys(METRICS) as MetricName[]).filter((name) =>
      SUFFIXES[METRICS[name].type].some((suffix) => names.includes(name + suffix)),
    ),
  );
}

it('a wrong name, value or label is noticed', () => {
  expect(unknownIn('rate(passerby_matchs_total[5m])')).toEqual(['passerby_matchs_total']);
  expect(unknownIn('passerby_wait_seconds')).toEqual(['passerby_wait_seconds']);
  expect(unknownIn('passerby_ends_total{reason="idle"} or passerby_ends_total{reason=~"idle|bored"}')).toEqual([
    'passerby_ends_total{reason="bored"}',
  ]);
  expect(unknownIn('passerby_ends_total{cause="idle"}')).toEqual(['passerby_ends_total{cause="idle"}']);
  expect(unknownIn('sum by (reason, site) (rate(passerby_ends_total[5m]))')).toEqual(['by (site)']);
});

describe('docs/reference/metrics.md', async () => {
  const page = await read('docs/reference/metrics.md');

  it('says of every metric what the table says, and of no other', () => {
    const written = page
      .split('\n')
      .filter((line) => line.startsWith('| `passerby_'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim().replaceAll('`', '')),
      );
    const codes = Object.keys(ERRORS).join(', ');
    const labelsOf = ({ labels }: MetricRow): string =>
      Object.entries(labels)
        .map(([label, values]) => `${label}: ${values.join(', ')}`)
        .join('; ')
        .replace(codes, 'any [code](errors.md)') || 'none';
    const rows = Object.entries(table).map(([name, row]) => [name, row.type, row.unit, labelsOf(row), row.help]);
    expect(written).toEqual(rows);
  });
});

interface Panel {
  readonly title: string;
  readonly id: number;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

describe('docs/operations/grafana-dashboard.json', async () => {
  const dashboard = JSON.parse(await read('docs/operations/grafana-dashboard.json')) as { panels: readonly Panel[] };
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

  it('asks for nothing that is not measured', () => {
    expect(expressions.flatMap(unknownIn)).toEqual([]);
  });
  it('shows every metric there is', () => {
    expect(metricsIn(expressions)).toEqual(new Set(Object.keys(METRICS)));
  });
  it('has panels with a title, an id of their own, and room for each', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

describe('docs/operations/alerts.yaml', async () => {
  const { groups } = parse(await read('docs/operations/alerts.yaml')) as {
    groups: readonly { rules: readonly Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  it('asks for nothing that is not measured', () => {
    expect(rules.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
  });
  it('is on metrics, each rule with words for who is woken', () => {
    for (const rule of rules) {
      expect(metricsIn([rule.expr]).size, rule.alert).toBeGreaterThan(0);
      expect(rule, rule.alert).toMatchObject({
        for: expect.stringMatching(/^\d+[ms]$/),
        labels: { severity: expect.stringMatching(/^(page|ticket)$/) },
        annotations: { summary: expect.any(String), description: expect.any(String) },
      });
    }
  });
  it('are all explained in docs/operations/README.md, which names no other', async () => {
    const page = await read('docs/operations/README.md');
    const named = [...page.matchAll(/^\| `(Passerby\w+)`/gm)].map(([, name]) => name!);
    expect(named).toEqual(rules.map(({ alert }) => alert));
  });
});
