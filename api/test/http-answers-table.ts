/** Headers that control browsers and caches. Columns of the table, in this order. */
export const COLUMNS = [
  'content-type',
  'cross-origin-resource-policy',
  'access-control-allow-origin',
  'cache-control',
  'vary',
] as const;

/** Further headers that some answers have; a row that does not name one requires its absence. */
export const FURTHER = [
  'accept-ranges',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-max-age',
  'allow',
  'content-encoding',
  'content-security-policy',
  'etag',
  'ratelimit',
  'retry-after',
  'set-cookie',
  'www-authenticate',
] as const;

/** Headers of every answer. */
export const ALWAYS = { 'x-content-type-options': /^nosniff$/, 'x-request-id': /^req_[A-Za-z0-9_-]{16}$/ } as const;

type Name = (typeof COLUMNS)[number] | (typeof FURTHER)[number];
/**
 * Exact value, or several with ` or ` between; `any` one; `any or none`; `the origin` of the request, if it has one.
 */
type Values = Readonly<Partial<Record<Name, string>>>;

/** Answer: target and method of the request, and status and headers of the service. */
export interface Row {
  /** Path, or a group of them; see `GROUPS`. */
  readonly what: string;
  /** `GET` includes HEAD; `any` is every method without a row of its own. */
  readonly method: 'GET' | 'POST' | 'OPTIONS' | 'any';
  readonly status: number;
  readonly values: Values;
}

const BASE: Values = { 'cross-origin-resource-policy': 'same-origin', 'cache-control': 'no-store' };
const KOA: Values = { ...BASE, 'content-security-policy': 'any' };
const JSON_TEXT: Values = { ...KOA, 'content-type': 'application/json; charset=utf-8' };
const PLAIN: Values = { ...KOA, 'content-type': 'text/plain; charset=utf-8' };
const PROBLEM: Values = { ...KOA, 'content-type': 'application/problem+json' };
const LIMITED: Values = { ratelimit: 'any' };
const LATER: Values = { 'retry-after': 'any' };
const TOKEN: Values = { 'www-authenticate': 'Bearer' };
const FILE: Values = { ...KOA, 'accept-ranges': 'none', etag: 'any', vary: 'Accept-Encoding' };
const FOR_ANY_PAGE: Values = {
  ...FILE,
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};
const SCRIPT: Values = {
  'content-type': 'text/javascript; charset=utf-8 or application/json; charset=utf-8',
  'content-encoding': 'any or none',
};
const CURRENT: Values = {
  ...FOR_ANY_PAGE,
  'cache-control': 'public, max-age=300, stale-while-revalidate=31536000',
};
const PINNED: Values = { ...FOR_ANY_PAGE, 'cache-control': 'public, max-age=31536000, immutable' };
const DEMO: Values = { ...FILE, 'cache-control': 'no-cache' };
const SITE: Values = { vary: 'Origin' };
const POLLED: Values = { ...BASE, 'access-control-allow-origin': 'the origin', vary: 'Origin' };
const POLL_REFUSED: Values = { ...POLLED, 'content-type': 'application/json' };
const RAW: Values = { ...BASE, 'content-type': 'application/problem+json' };

function rows(what: string, ...answers: readonly [Row['method'], number, ...(readonly Values[])][]): readonly Row[] {
  return answers.map(([method, status, ...values]) => ({
    what,
    method,
    status,
    values: Object.assign({}, ...values) as Values,
  }));
}

/** All answers of the service over HTTP. */
export const ANSWERS: readonly Row[] = [
  ...rows('/healthz', ['GET', 200, JSON_TEXT], ['GET', 503, JSON_TEXT]),
  ...rows('/readyz', ['GET', 200, JSON_TEXT], ['GET', 503, JSON_TEXT]),
  ...rows(
    '/v1/site',
    ['GET', 200, JSON_TEXT, SITE, { 'access-control-allow-origin': 'the origin' }],
    ['GET', 403, PROBLEM, SITE],
    ['GET', 500, PROBLEM, SITE, LATER],
    [
      'OPTIONS',
      204,
      KOA,
      SITE,
      {
        'access-control-allow-origin': 'the origin',
        'access-control-allow-methods': 'GET',
        'access-control-max-age': '600',
      },
    ],
    ['OPTIONS', 403, PROBLEM, SITE],
  ),
  ...rows('/.well-known/security.txt', ['GET', 200, PLAIN, { 'cache-control': 'no-cache' }]),
  ...rows(
    '/metrics',
    ['GET', 200, KOA, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }],
    ['GET', 401, PROBLEM, TOKEN],
    ['GET', 403, PROBLEM],
  ),
  ...rows('anything on the metrics port, for a foreign Host', ['any', 403, PROBLEM]),
  ...rows(
    '/admin/v1/openapi.json',
    ['GET', 200, JSON_TEXT, LIMITED],
    ['GET', 403, PROBLEM],
    ['GET', 429, PROBLEM, LIMITED, LATER],
  ),
  ...rows(
    'operations under /admin/v1',
    ['any', 200, JSON_TEXT, LIMITED],
    ['any', 201, JSON_TEXT, LIMITED],
    ['any', 400, PROBLEM, LIMITED],
    ['any', 401, PROBLEM, TOKEN],
    ['any', 403, PROBLEM],
    ['any', 404, PROBLEM, LIMITED],
    ['any', 409, PROBLEM, LIMITED],
    ['any', 413, PROBLEM, LIMITED],
    ['any', 415, PROBLEM, LIMITED],
    ['any', 429, PROBLEM, LATER, { ratelimit: 'any or none', 'www-authenticate': 'any or none' }],
    ['any', 500, PROBLEM, LIMITED, LATER],
  ),
  ...rows('the current files of the widget', ['GET', 200, CURRENT, SCRIPT], ['GET', 304, CURRENT]),
  ...rows('files of the widget by version or hash', ['GET', 200, PINNED, SCRIPT], ['GET', 304, PINNED]),
  ...rows('the demo pages and their files', ['GET', 200, DEMO, { 'content-type': 'any' }], ['GET', 304, DEMO]),
  ...rows('any of these files', ['any', 405, PROBLEM, { allow: 'GET, HEAD' }]),
  ...rows(
    'any other of these paths',
    ['OPTIONS', 200, PLAIN, { allow: 'any' }],
    ['any', 405, PROBLEM, { allow: 'any' }],
  ),
  ...rows('any other path', ['any', 404, PROBLEM], ['any', 405, PROBLEM, { allow: '' }]),
  ...rows('no Host, or a target that is no path', ['any', 400, PROBLEM]),
  ...rows(
    '/socket.io/ over long-polling',
    ['GET', 200, POLLED, { 'content-type': 'text/plain; charset=UTF-8' }],
    ['POST', 200, POLLED, { 'content-type': 'text/html' }],
    [
      'OPTIONS',
      204,
      BASE,
      {
        'access-control-allow-origin': 'the origin',
        'access-control-allow-methods': 'GET,POST',
        vary: 'Origin, Access-Control-Request-Headers',
      },
    ],
    ['any', 400, POLL_REFUSED],
    ['GET', 403, POLL_REFUSED],
    ['POST', 413, POLLED],
  ),
  ...rows(
    'no request that is answered: bad HTTP, too slow, too large, an upgrade elsewhere, CONNECT',
    ['any', 400, RAW],
    ['any', 404, RAW],
    ['any', 405, RAW, { allow: 'GET, HEAD' }],
    ['any', 408, RAW],
    ['any', 431, RAW],
  ),
];

/** Returns a row as in `docs/reference/answers.md`. */
export function cellsOf({ what, method, status, values }: Row): readonly string[] {
  const further = FURTHER.flatMap((name) =>
    values[name] === undefined ? [] : [`${name}: ${values[name] || 'empty'}`],
  );
  return [
    what,
    method === 'GET' ? 'GET, HEAD' : method,
    String(status),
    ...COLUMNS.map((name) => values[name] ?? 'none'),
    further.join('; '),
  ];
}
