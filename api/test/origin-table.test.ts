import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../src/app.ts';
import { systemClock as clock } from '../src/clock.ts';
import { ADMIN_PATH } from '../src/http/admin/openapi.ts';
import { reportOperations } from '../src/http/admin/report-operations.ts';
import { siteOperations } from '../src/http/admin/site-operations.ts';
import { ModerationService } from '../src/moderation/moderation-service.ts';
import { SiteService } from '../src/sites/site-service.ts';
import { RawConnection } from './bounds/raw-connection.ts';
import { siteOf, startTestApp, until } from './harness.ts';
import { tempRecords } from './temp-records.ts';

const GOOD = 'https://good.example';
const BOOKS = 'https://xn--bcher-kva.example';
const SITE = siteOf('pk_live_good', [GOOD, 'https://bücher.example']);
const TOKEN = 'a-token-of-the-operators';

/** Origin headers of a request, as bytes that no client but a socket sends. */
const ORIGINS: readonly (readonly [what: string, origins: readonly string[], isGood?: true])[] = [
  ['good', [GOOD], true],
  ['good, in punycode', [BOOKS], true],
  ['evil', ['https://evil.example']],
  ['good as a subdomain of evil', ['https://good.example.evil.com']],
  ['good as the end of a name', ['https://evil-good.example']],
  ['a subdomain of good', ['https://www.good.example']],
  ['http instead of https', ['http://good.example']],
  ['the default port, written out', ['https://good.example:443']],
  ['another port', ['https://good.example:8443']],
  ['upper case', ['HTTPS://GOOD.EXAMPLE']],
  ['one letter in upper case', ['https://Good.example']],
  ['a trailing dot', ['https://good.example.']],
  ['a trailing slash', ['https://good.example/']],
  ['a path', ['https://good.example/chat']],
  ['a user', ['https://evil@good.example']],
  ['good as the user of evil', ['https://good.example@evil.example']],
  ['punycode in Unicode', ['https://bücher.example']],
  ['a look-alike in punycode', ['https://xn--god-1na.example']],
  ['percent-encoded', ['https://good%2Eexample']],
  ['null', ['null']],
  ['an asterisk', ['*']],
  ['empty', ['']],
  ['missing', []],
  ['two headers, good first', [GOOD, 'https://evil.example']],
  ['two headers, evil first', ['https://evil.example', GOOD]],
  ['good twice', [GOOD, GOOD]],
  ['a list of two', [`${GOOD} https://evil.example`]],
];
const GOODS = new Set([GOOD, BOOKS]);

let app: App;
let kept: Awaited<ReturnType<typeof tempRecords>>;
beforeAll(async () => {
  kept = await tempRecords();
  const { records } = kept;
  app = await startTestApp({
    siteList: [SITE],
    config: { METRICS_TOKEN: TOKEN, OPERATOR_TOKEN: TOKEN, SECURITY_CONTACT: 'mailto:security@good.example' },
    operations: [
      ...siteOperations(new SiteService({ records, clock, actor: 'operator' })),
      ...reportOperations(new ModerationService(records, clock)),
    ],
  });
});
afterAll(async () => {
  await app.stop();
  await kept[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly body: string;
  /** CORS headers, and the header that restricts embedding. */
  readonly cors: Readonly<Record<string, string>>;
}

/** Sends one request on a connection of its own, byte for byte. */
async function ask(
  target: string,
  origins: readonly string[],
  lines: readonly string[] = [],
  body = '',
): Promise<Answer> {
  await using connection = await RawConnection.open(app);
  const isUpgrade = lines.includes('Upgrade: websocket');
  const head = [
    `${target} HTTP/1.1`,
    `Host: ${new URL(app.url).host}`,
    `Connection: ${isUpgrade ? 'Upgrade' : 'close'}`,
    ...origins.map((origin) => `Origin: ${origin}`),
    ...lines,
    ...(body === '' ? [] : [`Content-Length: ${body.length}`, 'Content-Type: text/plain;charset=UTF-8']),
  ];
  connection.write(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`));
  await until(() => connection.isClosed || connection.received.startsWith('HTTP/1.1 101 '), `${target} is answered`);
  const [top = '', ...rest] = connection.received.split('\r\n\r\n');
  const [first = '', ...headers] = top.split('\r\n');
  const told = headers.map((line) => [line.split(': ')[0]!.toLowerCase(), line.slice(line.indexOf(': ') + 2)] as const);
  return {
    status: Number(first.split(' ')[1]),
    body: rest.join('\r\n\r\n'),
    cors: Object.fromEntries(told.filter(([name]) => /^(access-control-|cross-origin-resource-policy)/.test(name))),
  };
}

const UPGRADE = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
const socketPath = (transport: string, sid?: string) =>
  `${SOCKET_PATH}?EIO=4&transport=${transport}&site=${SITE.key}${sid === undefined ? '' : `&sid=${sid}`}`;

/** Connection that a page of one of these origins opened. */
async function begun(origins: readonly string[]): Promise<string> {
  const { body } = await ask(`GET ${socketPath('polling')}`, origins);
  return /"sid":"([^"]+)"/.exec(body)![1]!;
}

describe.each(ORIGINS.map(([what, origins, isGood]) => ({ what, origins, isGood: isGood === true })))(
  'S1 $what',
  ({ origins, isGood }) => {
    test('at the WebSocket, of a new connection and of one that began with long-polling', async () => {
      for (const sid of [undefined, await begun(isGood ? origins : [GOOD])]) {
        const answer = await ask(`GET ${socketPath('websocket', sid)}`, origins, UPGRADE);
        expect(answer.status, sid).toBe(isGood ? 101 : 400);
        if (!isGood) expect(answer.body).toContain(sid === undefined ? 'origin_refused' : '');
      }
    });

    test('at long-polling, in the handshake and in what follows', async () => {
      const sid = await begun(isGood ? origins : [GOOD]);
      const handshake = await ask(`GET ${socketPath('polling')}`, origins);
      expect([handshake.status, handshake.body.includes('origin_refused')]).toEqual(
        isGood ? [200, false] : [403, true],
      );
      const sent = await ask(`POST ${socketPath('polling', sid)}`, origins, [], '40{"version":1}');
      expect(sent.status).toBe(isGood ? 200 : 400);
      const polled = await ask(`GET ${socketPath('polling', sid)}`, origins);
      expect([polled.status, polled.body.includes('"sid"')]).toEqual(isGood ? [200, true] : [400, false]);
      for (const { cors } of [handshake, sent, polled])
        expect(cors).not.toHaveProperty('access-control-allow-credentials');
    });

    test('from another page of the site than the one that opened the connection', async () => {
      const sid = await begun([GOOD]);
      const isOther = isGood && origins[0] !== GOOD;
      const sent = await ask(`POST ${socketPath('polling', sid)}`, origins, [], '40{"version":1}');
      expect(sent.status).toBe(isGood && !isOther ? 200 : 400);
    });

    test('at every route', async () => {
      await Promise.all(
        app.routes.map(async (route) => {
          const { path, must, lines } = expectationOf(route);
          const answer = await ask(`${route.split(' ')[0]} ${path}`, origins, lines);
          must(answer, origins, isGood, route);
          const preflight = await ask(`OPTIONS ${path}`, origins, ['Access-Control-Request-Method: POST']);
          const isReadable = must === forTheSite && isGood;
          expect(preflight.cors['access-control-allow-origin'], `OPTIONS ${path}`).toBe(
            isReadable ? origins[0] : undefined,
          );
        }),
      );
    });

    test('at every file', async () => {
      await Promise.all(
        WIDGET_FILES.map(async (file) => {
          const { status, cors } = await ask(`HEAD /${file}`, origins);
          expect([status, cors], file).toEqual([
            200,
            { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' },
          ]);
        }),
      );
      await Promise.all(
        DEMO_FILES.map(async (file) => {
          const { status, cors } = await ask(`HEAD /${file}`, origins);
          expect([status, cors], file).toEqual([200, { 'cross-origin-resource-policy': 'same-origin' }]);
        }),
      );
    });
  },
);

test('in a table with every route of the service, and no other', () => {
  const isOperators = (route: string) => route.includes(` ${ADMIN_PATH}/`);
  expect(Object.keys(ROUTES).sort()).toEqual(app.routes.filter((route) => !isOperators(route)).sort());
  expect(app.routes.filter(isOperators).length).toBeGreaterThan(10);
});

test('with the origins of the site', () => {
  expect(ORIGINS.flatMap(([, origins, isGood]) => (isGood ? origins : []))).toEqual([...GOODS]);
});

type Must = (answer: Answer, origins: readonly string[], isGood: boolean, route: string) => void;

/** Same answer for every origin, readable by no page of another one. */
function forNoPage({ status, cors }: Answer, _origins: readonly string[], _isGood: boolean, route: string): void {
  expect([status, cors], route).toEqual([200, { 'cross-origin-resource-policy': 'same-origin' }]);
}

/** Answer for the origins of the site, which may read it, and for nobody else. */
function forTheSite({ status, cors }: Answer, origins: readonly string[], isGood: boolean, route: string): void {
  const { 'cross-origin-resource-policy': __, 'access-control-allow-origin': allowed, ...others } = cors;
  expect([status < 300, allowed], route).toEqual(isGood ? [true, origins[0]] : [false, undefined]);
  if (!isGood) expect([status, others], route).toEqual([403, {}]);
}

/**
 * Route for programs, and for pages of the service itself: a browser's request from anywhere else is refused before its
 * content is checked.
 */
function forPrograms({ status, cors }: Answer, origins: readonly string[], _isGood: boolean, route: string): void {
  const hasOrigin = origins.some((origin) => origin !== '');
  expect([status, cors], route).toEqual([hasOrigin ? 403 : 200, { 'cross-origin-resource-policy': 'same-origin' }]);
}

/** The same without a token: requests from other origins are refused before it is required. */
function forOperators({ status, cors }: Answer, origins: readonly string[], _isGood: boolean, route: string): void {
  const hasOrigin = origins.some((origin) => origin !== '');
  expect([status, cors], route).toEqual([hasOrigin ? 403 : 401, { 'cross-origin-resource-policy': 'same-origin' }]);
}

interface Expectation {
  readonly path: string;
  readonly must: Must;
  readonly lines?: readonly string[];
}

/** One row for every route, or the test fails. All of the operators' API is alike, except its document. */
function expectationOf(route: string): Expectation {
  const path = route.split(' ')[1]!;
  if (path === `${ADMIN_PATH}/openapi.json`) return { path, must: forPrograms };
  if (path.startsWith(`${ADMIN_PATH}/`)) return { path: path.replaceAll(/:\w+/g, 'x'), must: forOperators };
  const expectation = ROUTES[route];
  if (expectation === undefined) throw new Error(`${route} is not in the table`);
  return expectation;
}

/** Every route, a request for it, and the expectation for each origin. */
const ROUTES: Readonly<Record<string, Expectation>> = Object.fromEntries(
  (
    [
      ['/healthz', '', forNoPage, []],
      ['/readyz', '', forNoPage, []],
      ['/.well-known/security.txt', '', forNoPage, []],
      ['/v1/site', `?site=${SITE.key}`, forTheSite, []],
      ['/metrics', '', forPrograms, [`Authorization: Bearer ${TOKEN}`]],
    ] as const
  ).flatMap(([path, query, must, lines]) =>
    ['HEAD', 'GET', ...(must === forTheSite ? ['OPTIONS'] : [])].map((method) => [
      `${method} ${path}`,
      { path: path + query, must, lines },
    ]),
  ),
);

/**
 * Returns the files in a folder for browsers: neither types nor the precompressed forms, which have no address of their
 * own.
 */
const filesIn = (folder: string) =>
  readdirSync(fileURLToPath(new URL(folder, import.meta.url))).filter((name) => /\.(js|json|html|css|svg)$/.test(name));
const WIDGET_FILES = filesIn('../../widget/dist');
const DEMO_FILES = filesIn('../public');
