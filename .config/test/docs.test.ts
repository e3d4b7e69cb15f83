import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
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
  NUMBERED_KINDS,
  PROTOCOL_VERSION,
  PUSH_NAMES,
  READINESS_REASONS,
  REQUEST_NAMES,
  STORE_FAULTS,
  TIMES,
  UNNUMBERED_KINDS,
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

  it('has every reason and every fault of /readyz, and no other', () => {
    expect(firstCells(probes).filter((cell) => /^[a-z_]+$/.test(cell) && cell !== 'reason')).toEqual([
      ...READINESS_REASONS,
    ]);
    expect(firstCells(probes).filter((cell) => /^[A-Z_]+$/.test(cell))).toEqual([...STORE_FAULTS]);
  });
});

describe('docs/protocol.md', async () => {
  const page = await read('docs/protocol.md');

  it('has the version of the code', () => {
    expect(page).toMatch(new RegExp(`^# Wire protocol, version ${PROTOCOL_VERSION}\n`));
  });
  it('has every request and no other', () => {
    expect(firstCells(section(page, '## Requests'))).toEqual([...REQUEST_NAMES]);
  });
  it('has every push and no other', () => {
    expect(firstCells(section(page, '## Pushes'))).toEqual([...PUSH_NAMES]);
  });
  it('has every kind of body and no other, and says which are unnumbered', () => {
    const bodies = rows(section(page, '## Frames')).map(([kind, carries]) => [kind, carries!.includes('unnumbered')]);
    expect(bodies).toEqual([
      ...NUMBERED_KINDS.map((kind) => [kind, false]),
      ...UNNUMBERED_KINDS.map((kind) => [kind, true]),
    ]);
  });
  it('has every end reason and no other', () => {
    expect(firstCells(section(page, '## End reasons'))).toEqual([...END_REASONS]);
  });
  it('names no unknown error, request or push', () => {
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

describe('docs/protocol.md, frames', async () => {
  const bodies = rows(section(await read('docs/protocol.md'), '## Frames'));

  it('has every kind of body of the code, with its fields, and no other', async () => {
    const source = ts.createSourceFile('frame.ts', await read('sdk/src/protocol/frame.ts'), ts.ScriptTarget.ESNext);
    const interfaces = new Map(
      source.statements.filter(ts.isInterfaceDeclaration).map((statement) => [statement.name.text, statement.members]),
    );
    const union = source.statements.filter(ts.isTypeAliasDeclaration).find(({ name }) => name.text === 'Body')!.type;
    const kinds = (ts.isUnionTypeNode(union) ? union.types : []).map((type) => {
      const members = interfaces.get(type.getText(source))!.filter(ts.isPropertySignature);
      const kind = members.find(({ name }) => name.getText(source) === 'kind')!;
      const fields = members.map(
        ({ name, questionToken }) => `${name.getText(source)}${questionToken === undefined ? '' : '?'}`,
      );
      return [kind.type!.getText(source).slice(1, -1), `{ ${fields.join(', ')} }`];
    });
    expect(kinds.length).toBeGreaterThan(2);
    expect(bodies.map(([kind, carries]) => [kind, /\{.*?\}/.exec(carries!)![0]])).toEqual(kinds);
  });

  it('marks the kinds that may be unnumbered', () => {
    const unnumbered = bodies.filter(([, carries]) => carries!.includes('unnumbered')).map(([kind]) => kind);
    expect(unnumbered).toEqual([...UNNUMBERED_KINDS]);
  });
});

describe('docs/reference/errors.md', async () => {
  const page = await read('docs/reference/errors.md');

  /** Returns the text under each heading, as written in the page. */
  function entries(heading: string): Record<string, string> {
    const [, ...parts] = section(page, heading).split(/\n### /);
    return Object.fromEntries(parts.map((part) => [part.split('\n')[0]!, part.split('\n').slice(1).join('\n').trim()]));
  }

  it('has the text of every refusal of the service, and no other', () => {
    const table = Object.entries(ERRORS).map(([code, row]) => [
      code,
      `${row.message}\n\nHTTP ${row.status} · retry: \`${row.retry}\``,
    ]);
    expect(entries('## The service refuses')).toEqual(Object.fromEntries(table));
  });
  it('has the text of every refusal of the SDK, and no other', () => {
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
    ['## Connection limits', CONNECTION_LIMITS],
  ])('%s equal the code', (heading, table) => {
    const written = rows(section(page, heading)).map(([name, value]) => [name, Number(value)]);
    expect(Object.fromEntries(written)).toEqual(table);
  });
});

describe('docs/reference/limits.md, quotas', async () => {
  const page = await read('docs/reference/limits.md');

  it('has every quota of the code, and no other', () => {
    const written = rows(section(page, '## Quotas')).map(([name, scope, points, windowMs]) => [
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

  it('has every network of an address, with its factor', () => {
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

  it('has the default label of the launcher', () => {
    const label = rows(section(page, '## The element')).find(([name]) => name === 'label');
    expect(label![1]).toBe(en.launcher);
  });
});

describe('docs/architecture.md', () => {
  it('names only existing files', async () => {
    const page = await read('docs/architecture.md');
    const files = [...page.matchAll(/`((?:sdk|api|widget)\/[\w./-]+\.(?:ts|lua|svelte))`/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  it('has every method of the state store, and no other', async () => {
    const text = section(await read('docs/architecture.md'), '## The state store');
    const named = [...text.matchAll(/^- .*$/gm)].flatMap(([line]) =>
      [...line.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    const source = ts.createSourceFile('store.ts', await read('api/src/state/state-store.ts'), ts.ScriptTarget.ESNext);
    const store = source.statements.filter(ts.isInterfaceDeclaration).find(({ name }) => name.text === 'StateStore')!;
    const methods = store.members.filter(ts.isMethodSignature).map(({ name }) => name.getText(source));
    expect(methods.length).toBeGreaterThan(15);
    expect(named).toEqual(methods);
  });

  it('has every folder of the service and of the SDK in its tables', async () => {
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

/** Returns the compiler's complaints about each sample, as if each was a file at the top of the repository. */
function complaintsAbout(samples: readonly string[]): string[][] {
  const files = new Map(samples.map((sample, index) => [path.join(root, `sample-${index}.ts`), sample]));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    customConditions: ['passerby-source'],
    allowImportingTsExtensions: true,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile: readSource } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readSource(name);
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].map((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'),
    );
  });
}

/** Returns the text of a page without its fenced blocks. */
const prose = (page: string): string => page.replaceAll(/^\s*```[\s\S]*?^\s*```$/gm, '');

/** Returns the anchors of a page, as GitHub makes them from its headings. */
function anchors(page: string): Set<string> {
  const seen = new Map<string, number>();
  const headings = [...prose(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) =>
    title!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(
    headings.map((anchor) => {
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
}

describe('every page', async () => {
  const patterns = ['README.md', '.github/*.md', 'docs/**/*.md', '{sdk,widget,api}/README.md', 'examples/*/README.md'];
  const files = (await Array.fromAsync(glob(patterns, { cwd: root }))).sort();
  const pages = new Map(await Promise.all(files.map(async (file) => [file, await read(file)] as const)));

  it.each(files)('%s links only to pages and headings that exist', (file) => {
    const broken = [...prose(pages.get(file)!).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      .filter(([, target, anchor]) => {
        const linked = target === '' ? file : path.join(path.dirname(file), target!);
        if (!existsSync(path.join(root, linked))) return true;
        return anchor !== undefined && pages.has(linked) && !anchors(pages.get(linked)!).has(anchor);
      })
      .map(([link]) => link);
    expect(broken).toEqual([]);
  });

  it.each(files)('%s names only files and folders that exist', (file) => {
    const roots = ['', 'api/src', 'sdk/src', 'widget/src', path.dirname(file)];
    const unlinked = prose(pages.get(file)!).replaceAll(/\[`[^`]*`\]\([^)]*\)/g, '');
    const missing = [
      ...unlinked.matchAll(
        /`([\w.@-]+(?:\/[\w.@-]+)*\/|[\w.@-]+(?:\/[\w.@-]+)*\/[\w.-]+\.(?:ts|js|lua|md|json|yaml|svelte|css|html))`/g,
      ),
    ]
      .map(([, name]) => name!)
      .filter((name) => !roots.some((folder) => existsSync(path.join(root, folder, name))))
      .filter((name) => !/^(?:dist|data|test-results|node_modules)\//.test(name));
    expect(missing).toEqual([]);
  });

  // Those in JSX have to wait for the types of React, which no package here needs.
  const samples = files.flatMap((file) =>
    [...pages.get(file)!.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, sample]) => [file, sample!] as const),
  );

  it('has samples in TypeScript that the compiler accepts', { timeout: 60_000 }, () => {
    expect(new Set(samples.map(([file]) => file))).toContain('README.md');
    const wrong = `import { createChat } from '@passerby/sdk'; createChat({ urll: '' });`;
    const [ofWrong, ...refused] = complaintsAbout([wrong, ...samples.map(([, sample]) => sample)]);
    expect(ofWrong).toHaveLength(1);
    expect(
      refused.flatMap((complaints, index) => complaints.map((complaint) => [samples[index]![0], complaint])),
    ).toEqual([]);
  });

  it.each(files)('%s has as many cells in each row of a table as in its head', (file) => {
    const cells = (line: string): number => line.split(/(?<!\\)\|/).length;
    let head = 0;
    const uneven: string[] = [];
    for (const line of prose(pages.get(file)!).split('\n')) {
      if (!line.startsWith('|')) head = 0;
      else if (head === 0) head = cells(line);
      else if (cells(line) !== head) uneven.push(line);
    }
    expect(uneven).toEqual([]);
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

  it.each(files.filter((file) => /^docs\/decisions\/\d/.test(file)))('%s has the sections of a decision', (file) => {
    const page = pages.get(file)!;
    expect(page).toMatch(new RegExp(`^# ${path.basename(file).slice(0, 10)}: \\S`));
    const headings = [...prose(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(['Status', 'Context', 'Decision', 'Alternatives', 'Consequences']);
    for (const heading of headings) expect(section(page, `## ${heading}`).trim(), heading).not.toBe('');
    expect(section(page, '## Status').trim()).toMatch(/^(?:Accepted|Superseded)\b/);
  });

  it('decisions are listed by date, all of them', async () => {
    const listed = [...(await read('docs/decisions/README.md')).matchAll(/\]\((\d{4}-\d\d-\d\d-[^)]+)\)/g)].map(
      ([, file]) => file!,
    );
    const there = files.filter((file) => /^docs\/decisions\/\d/.test(file)).map((file) => path.basename(file));
    expect([...listed].sort()).toEqual(there);
  });
});
