import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONNECTION_LIMITS } from '../../api/src/limits/connection-limits.ts';
import { NETWORK_BITS } from '../../api/src/privacy/client-address.ts';
import { RATE_LIMITS, timesAt } from '../../api/src/limits/rate-limits.ts';
import { CONFIG_NAMES, readConfig } from '../../api/src/config.ts';
import { sitesFile } from '../../api/src/sites/sites-file.ts';
import { OPTION_ATTRIBUTES } from '../../widget/src/options.ts';
import { en } from '../../widget/src/i18n/en.ts';
import { CLIENT_ERRORS } from '../../sdk/src/errors.ts';
import {
  END_REASONS,
  ERRORS,
  LIMITS,
  PROTOCOL_VERSION,
  PUSH_NAMES,
  READINESS_REASONS,
  REQUEST_NAMES,
  STORE_FAULTS,
  TIMES,
} from '@passerby/sdk/protocol';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): Promise<string> => readFile(path.join(root, file), 'utf8');

/** Returns the text under a heading, down to the next one of the same level or above. */
function section(page: string, heading: string): string {
  const rank = /^#+/.exec(heading)![0].length;
  const [, after] = page.split(`\n${heading}\n`);
  if (after === undefined) throw new Error(`The page has no heading "${heading}"`);
  return after.split(new RegExp(`\\n#{1,${rank}} `))[0]!;
}

/** Returns the cells of a table, without its head and without backticks. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

const firstCells = (text: string): string[] => rows(text).map(([cell]) => cell!);

describe('docs/operations/README.md', async () => {
  const probes = section(await read('docs/operations/README.md'), '## Probes');

  it('has every reason and every fault that /readyz names, and no other', () => {
    expect(firstCells(probes).filter((cell) => /^[a-z_]+$/.test(cell) && cell !== 'reason')).toEqual([
      ...READINESS_REASONS,
    ]);
    expect(firstCells(probes).filter((cell) => /^[A-Z_]+$/.test(cell))).toEqual([...STORE_FAULTS]);
  });
});

describe('docs/protocol.md', async () => {
  const page = await read('docs/protocol.md');

  it('is about the version the code speaks', () => {
    expect(page).toMatch(new RegExp(`^# Wire protocol, version ${PROTOCOL_VERSION}\n`));
  });
  it('has every request and no other', () => {
    expect(firstCells(section(page, '## Requests'))).toEqual([...REQUEST_NAMES]);
  });
  it('has every push and no other', () => {
    expect(firstCells(section(page, '## Pushes'))).toEqual([...PUSH_NAMES]);
  });
  it('has every end reason and no other', () => {
    expect(firstCells(section(page, '## End reasons'))).toEqual([...END_REASONS]);
  });
  it('names no error, request or push that there is not', () => {
    const known = new Set<string>([
      ...Object.keys(ERRORS),
      ...END_REASONS,
      ...REQUEST_NAMES,
      ...PUSH_NAMES,
      'already_matched',
    ]);
    const named = [...page.matchAll(/`([a-z]+(?:_[a-z]+)+|[a-z]+:[a-z]+)`/g)].map(([, name]) => name!);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('docs/reference/errors.md', async () => {
  const page = await read('docs/reference/errors.md');

  /** Returns the text under each heading, as written in the page. */
  function entries(heading: string): Record<string, string> {
    const [, ...parts] = section(page, heading).split(/\n### /);
    return Object.fromEntries(parts.map((part) => [part.split('\n')[0]!, part.split('\n').slice(1).join('\n').trim()]));
  }

  it('says of every refusal of the service what the table says, and of no other', () => {
    const table = Object.entries(ERRORS).map(([code, row]) => [
      code,
      `${row.message}\n\nHTTP ${row.status} · retry: \`${row.retry}\``,
    ]);
    expect(entries('## The service refuses')).toEqual(Object.fromEntries(table));
  });
  it('says of every refusal of the SDK what the table says, and of no other', () => {
    const table = Object.entries(CLIENT_ERRORS).map(([code, row]) => [
      code,
      `${row.message}\n\nretry: \`${row.retry}\``,
    ]);
    expect(entries('## The SDK refuses')).toEqual(Object.fromEntries(table));
  });
});

describe('docs/reference/limits.md', async () => {
  const page = await read('docs/reference/limits.md');

  it.each([
    ['## Limits', LIMITS],
    ['## Times', TIMES],
    ['## What a connection may cost', CONNECTION_LIMITS],
  ])('%s are those of the code', (heading, table) => {
    const written = rows(section(page, heading)).map(([name, value]) => [name, Number(value)]);
    expect(Object.fromEntries(written)).toEqual(table);
  });
});

describe('docs/reference/limits.md, how often', async () => {
  const page = await read('docs/reference/limits.md');

  it('has every quota of the code, and no other', () => {
    const written = rows(section(page, '## How often')).map(([name, scope, points, windowMs]) => [
      name,
      scope,
      Number(points),
      Number(windowMs),
    ]);
    const table = Object.entries(RATE_LIMITS).flatMap(([name, scopes]) =>
      Object.entries(scopes).map(([scope, { points, windowMs }]) => [name, scope, points, windowMs]),
    );
    expect(written).toEqual(table);
  });

  it('has every network an address counts as, with the times its quota is', () => {
    const written = rows(section(page, '## Networks'));
    expect(written).toEqual(NETWORK_BITS.map((bits, step) => [`/${bits}`, String(timesAt(step))]));
  });
});

describe('docs/reference/configuration.md', async () => {
  const page = await read('docs/reference/configuration.md');

  it('has every environment variable with its default, and no other', () => {
    const defaults = new Map<string, unknown>(Object.entries(readConfig({})));
    const written = rows(section(page, '## Environment variables')).map(([name, value]) => [name, value]);
    expect(written).toEqual(CONFIG_NAMES.map((name) => [name, String(defaults.get(name) ?? 'unset')]));
  });

  it('has every field of a site with its default, and no other', () => {
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(page)!;
    const [first] = (JSON.parse(example) as { sites: Record<string, unknown>[] }).sites;
    const read = (entry: object): object => {
      // `match` has a page of its own, docs/matching.md, and a test of its own.
      const { id: _, settings, ...rest } = sitesFile.parse({ sites: [entry] }).sites[0]!;
      const { match: __, ...others } = settings;
      return { ...rest, ...others };
    };
    const fields = rows(section(page, '## Sites'));
    expect(Object.keys(read(first!))).toEqual(fields.map(([name]) => name));
    expect(Object.keys(first!)).toEqual(fields.map(([name]) => name));

    const required = Object.fromEntries(
      fields.filter(([, value]) => value === 'required').map(([name]) => [name, first![name!]]),
    );
    const defaults = fields
      .filter(([, value]) => value !== 'required')
      .map(([name, value]) => [name, JSON.parse(value!) as unknown]);
    expect(read(required)).toMatchObject(Object.fromEntries(defaults));
  });
});

describe('docs/embedding.md', async () => {
  const page = await read('docs/embedding.md');
  const launcherCss = await read('widget/src/launcher/launcher.css');
  /** Attributes that the style sheet or the element itself reads. */
  const others = ['position', 'theme', 'open'];

  it('has every attribute of the element, and no other', () => {
    expect(firstCells(section(page, '## The element')).sort()).toEqual([...OPTION_ATTRIBUTES, ...others].sort());
    for (const name of ['position', 'theme']) expect(launcherCss).toContain(`[${name}=`);
  });

  it('calls the launcher what the widget calls it', () => {
    const label = rows(section(page, '## The element')).find(([name]) => name === 'label');
    expect(label![1]).toBe(en.launcher);
  });
});

describe('docs/architecture.md', () => {
  it('names files that are there, in both walks and everywhere else', async () => {
    const page = await read('docs/architecture.md');
    const files = [...page.matchAll(/`((?:sdk|api|widget)\/[\w./-]+\.(?:ts|lua|svelte))`/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  it('has every room of the service and of the SDK in its tables', async () => {
    const page = await read('docs/architecture.md');
    for (const source of ['sdk/src', 'api/src']) {
      const rooms = new Set<string>();
      for await (const file of glob('*/**/*.ts', { cwd: path.join(root, source) })) rooms.add(file.split(path.sep)[0]!);
      for (const room of rooms) {
        if (source === 'sdk/src' && room === 'internal') continue;
        expect(page, `${source}/${room}`).toContain(`\`${room}/\``);
      }
    }
  });
});

describe('every page', async () => {
  const files = (await Array.fromAsync(glob(['README.md', '.github/*.md', 'docs/**/*.md'], { cwd: root }))).sort();

  it.each(files)('%s links only to what is there', async (file) => {
    const broken = [...(await read(file)).matchAll(/\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)/g)]
      .map(([, target]) => target!)
      .filter((target) => target !== '' && !existsSync(path.join(root, path.dirname(file), target)));
    expect(broken).toEqual([]);
  });

  it('is reachable from the README', async () => {
    const seen = new Set<string>();
    const visit = async (file: string): Promise<void> => {
      if (seen.has(file) || !file.endsWith('.md')) return;
      seen.add(file);
      for (const [, target] of (await read(file)).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
        const next = path.join(path.dirname(file), target!);
        if (existsSync(path.join(root, next))) await visit(next);
      }
    };
    await visit('README.md');
    expect(files.filter((file) => !seen.has(file))).toEqual([]);
  });

  it('decisions are listed by date, all of them', async () => {
    const listed = [...(await read('docs/decisions/README.md')).matchAll(/\]\((\d{4}-\d\d-\d\d-[^)]+)\)/g)].map(
      ([, file]) => file!,
    );
    const there = files.filter((file) => /^docs\/decisions\/\d/.test(file)).map((file) => path.basename(file));
    expect([...listed].sort()).toEqual(there);
  });
});
