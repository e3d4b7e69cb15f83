import { readdirSync, readFileSync } from 'node:fs';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { operation } from '../src/http/admin/operation.ts';
import { directoryOf } from '../src/sites/site-directory.ts';
import { ADMIN_PATH } from '../src/http/admin/openapi.ts';
import { OPERATOR_TOKEN, startAdminService } from './admin/admin-service.ts';
import { ORIGIN, SHOP, startTestApp, Visitor } from './harness.ts';
import {
  ask,
  askRaw,
  BEARER,
  BODIES,
  HEADER_SETS,
  HOSTLESS,
  METHODS,
  POLLING_PATHS,
  RAW_REQUESTS,
  type Answer,
} from './http-answers-probes.ts';
import { ALWAYS, ANSWERS, cellsOf, COLUMNS, FURTHER, type Row } from './http-answers-table.ts';

const widgetFolder = new URL('../../widget/', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', widgetFolder), 'utf8')) as { version: string };
const widgetFiles = readdirSync(new URL('dist', widgetFolder)).filter((name) => /\.js(on)?$/.test(name));
const demoPages = ['/', '/talk', '/index.html', '/talk.html', '/demo.css', '/demo.js', '/icon.svg'];
const isHashed = (path: string) => /-[\w-]{8}\.js$/.test(path);

/** Returns the rows of the table for a path, the most specific first. */
function groupsOf({ path, isForeign, isRaw, isHostless }: Answer): readonly string[] {
  const [bare = ''] = path.split('?');
  const others = ['any other of these paths', 'no Host, or a target that is no path'];
  const files = ['any of these files', 'no Host, or a target that is no path'];
  if (isRaw) return ['no request that is answered: bad HTTP, too slow, too large, an upgrade elsewhere, CONNECT'];
  if (isForeign) return ['anything on the metrics port, for a foreign Host'];
  if (isHostless) return ['no Host, or a target that is no path'];
  if (bare === SOCKET_PATH) return ['/socket.io/ over long-polling'];
  if (['/healthz', '/readyz', '/v1/site', '/.well-known/security.txt', '/metrics'].includes(bare)) {
    return [bare, ...others];
  }
  if (bare === `${ADMIN_PATH}/openapi.json`) return [bare, ...others];
  if (bare.startsWith(`${ADMIN_PATH}/`)) return ['operations under /admin/v1', ...others];
  if (bare.startsWith('/widget/') || isHashed(bare)) return ['files of the widget by version or hash', ...files];
  if (widgetFiles.includes(bare.slice(1))) return ['the current files of the widget', ...files];
  if (demoPages.includes(bare)) return ['the demo pages and their files', ...files];
  return ['any other path'];
}

function rowOf(answer: Answer): Row | undefined {
  const method = answer.method === 'HEAD' ? 'GET' : answer.method;
  const fitting = groupsOf(answer).flatMap((what) =>
    ANSWERS.filter((row) => row.what === what && row.status === answer.status),
  );
  return fitting.find((row) => row.method === method) ?? fitting.find((row) => row.method === 'any');
}

/** Returns the differences between an answer and its row. */
function differences(answer: Answer, { values }: Row): string[] {
  const wrong = [...COLUMNS, ...FURTHER].flatMap((name) => {
    const said = answer.headers[name];
    const expected = values[name];
    const isRight =
      expected === 'any or none' ||
      (expected === 'any' && said !== undefined) ||
      (expected === 'the origin' && said === answer.origin) ||
      said === expected ||
      (said !== undefined && expected?.split(' or ').includes(String(said)));
    return isRight ? [] : [`${name}: ${String(said)}, expected ${String(expected)}`];
  });
  const missing = Object.entries(ALWAYS).filter(([name, form]) => !form.test(String(answer.headers[name])));
  return [...wrong, ...missing.map(([name]) => `${name}: ${String(answer.headers[name])}`)];
}

const answers: Answer[] = [];
const routes = new Set<string>();

/** Requests a path by every method, with headers and bodies of every kind. */
async function askAll(url: string, path: string): Promise<void> {
  for (const method of METHODS) {
    for (const headers of HEADER_SETS) answers.push(await ask(url, method, path, headers));
    if (method === 'GET' || method === 'HEAD') continue;
    for (const [headers, body] of BODIES) answers.push(await ask(url, method, path, headers, body));
  }
}

/** Requests to a healthy service. */
async function askEverything(): Promise<void> {
  await using admin = await startAdminService({
    sites: directoryOf([SHOP]),
    config: { METRICS_PORT: 0, METRICS_TOKEN: OPERATOR_TOKEN, SECURITY_CONTACT: 'mailto:a@b.example' },
    bounds: { headMs: 200, overdueCheckMs: 20 },
  });
  const { app } = admin;
  for (const route of app.routes) routes.add(route);
  const mounted = app.routes.map((route) => route.split(' ')[1]!.replaceAll(/:\w+/g, 'x'));
  const paths = new Set([
    ...mounted,
    ...demoPages,
    ...widgetFiles.flatMap((name) => [`/${name}`, `/widget/${version}/${name}`]),
    '/v1/site?site=pk_test_shop',
    '/nothing',
    ...POLLING_PATHS,
  ]);
  for (const path of paths) await askAll(app.url, path);
  for (const path of ['/metrics', '/nothing']) await askAll(app.metricsUrl!, path);
  for (const bytes of HOSTLESS) answers.push({ ...(await askRaw(app, bytes)), isRaw: false, isHostless: true });
  for (const bytes of RAW_REQUESTS) answers.push(await askRaw(app, bytes));
  for (const path of ['/metrics', '/nothing']) {
    const foreign = await ask(app.metricsUrl!, 'GET', path, { ...BEARER, Host: 'evil.example' });
    answers.push({ ...foreign, isForeign: true });
  }
  const added = { name: 'Shop', origins: [ORIGIN] };
  const json = { ...BEARER, 'Content-Type': 'application/json' };
  const site = await ask(app.url, 'POST', `${ADMIN_PATH}/sites`, json, JSON.stringify(added));
  answers.push(site);
  const origins = `${ADMIN_PATH}/sites/${(JSON.parse(site.body) as { site: { id: string } }).site.id}/origins`;
  answers.push(await ask(app.url, 'POST', origins, json, JSON.stringify({ origin: ORIGIN })));
  await askPolling(app.url);
}

async function askPolling(url: string): Promise<void> {
  const path = `${SOCKET_PATH}?EIO=4&transport=polling&site=${SHOP.key}`;
  const headers = { Origin: ORIGIN };
  const opened = await ask(url, 'GET', path, headers);
  const { sid } = JSON.parse(opened.body.slice(1)) as { sid: string };
  answers.push(opened);
  answers.push(await ask(url, 'POST', `${path}&sid=${sid}`, headers, '40{"version":1}'));
  answers.push(await ask(url, 'GET', `${path}&sid=${sid}`, headers));
  answers.push(await ask(url, 'POST', `${path}&sid=${sid}`, headers, `4${'x'.repeat(70_000)}`));
}

/** Answers of a service with faults. */
async function askInTrouble(): Promise<void> {
  await using late = await startTestApp({ load: { delayMs: () => 1_000 } });
  answers.push(await ask(late.url, 'GET', '/readyz'));

  await using failing = await startTestApp({
    sites: { ...directoryOf([]), find: bug },
    operations: [{ ...NO_OPERATION, run: bug }],
    config: { OPERATOR_TOKEN },
  });
  answers.push(await ask(failing.url, 'GET', '/v1/site?site=pk_test_shop', { Origin: ORIGIN }));
  answers.push(await ask(failing.url, 'GET', `${ADMIN_PATH}/sites`, BEARER));

  await using strict = await startAdminService({ config: { RATE_LIMIT_FACTOR: 0.1 } });
  const { url } = strict.app;
  for (let count = 0; count < 20; count++) {
    answers.push(await ask(url, 'GET', `${ADMIN_PATH}/openapi.json`));
    answers.push(await ask(url, 'GET', `${ADMIN_PATH}/sites`));
    answers.push(await ask(url, 'GET', `${ADMIN_PATH}/sites`, BEARER));
  }

  const leaving = await startTestApp();
  await using visitor = await Visitor.arrive(leaving);
  const drained = leaving.drain();
  await visitor.next('session:draining');
  answers.push(await ask(leaving.url, 'GET', '/healthz'));
  visitor.socket.disconnect();
  await drained;
}

const NO_OPERATION = operation({
  route: 'GET /sites',
  id: 'listSites',
  summary: 'Fails',
  answer: z.unknown(),
  run: () => Promise.resolve(null),
});

function bug(): never {
  throw new Error('bug');
}

beforeAll(async () => {
  await askEverything();
  await askInTrouble();
});

describe('S25 HTTP answers', () => {
  test('each have a row in the table, and the headers of that row', () => {
    const wrong = answers.flatMap((answer) => {
      const { method, path, status } = answer;
      const row = rowOf(answer);
      const faults = row === undefined ? ['no row'] : differences(answer, row);
      return faults.map((fault) => `${method} ${path} → ${status}: ${fault}`);
    });
    expect([...new Set(wrong)].slice(0, 40)).toEqual([]);
  });

  test('exist for every row', () => {
    const seen = new Set(answers.map(rowOf));
    expect(ANSWERS.filter((row) => !seen.has(row)).map(({ what, status }) => `${what} → ${status}`)).toEqual([]);
  });

  test('come from a route in the table', () => {
    const grouped = (route: string) => groupsOf({ ...answers[0]!, path: route.split(' ')[1]! })[0];
    expect([...routes].filter((route) => grouped(route) === 'any other path')).toEqual([]);
    expect(routes.size).toBeGreaterThan(10);
  });

  test('are in the docs', () => {
    const page = readFileSync(new URL('../../docs/reference/answers.md', import.meta.url), 'utf8');
    const written = page
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2)
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim().replaceAll('`', '')),
      );
    expect(written).toEqual(ANSWERS.map(cellsOf));
  });
});
