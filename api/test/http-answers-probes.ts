import { request, type IncomingHttpHeaders } from 'node:http';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { OPERATOR_TOKEN } from './admin/admin-service.ts';
import { head, RawConnection } from './bounds/raw-connection.ts';
import { ORIGIN, until } from './harness.ts';

export interface Answer {
  readonly method: string;
  readonly path: string;
  /** `Origin` of the request. */
  readonly origin: string | undefined;
  readonly status: number;
  /** Header names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly body: string;
  /** Bytes that no request handler receives. */
  readonly isRaw: boolean;
  /** Request for another host name. */
  readonly isForeign: boolean;
  /** Request without a Host, or with a target that is no path. */
  readonly isHostless: boolean;
}

const PLAIN = { isRaw: false, isForeign: false, isHostless: false };

/**
 * Sends a request by hand, on a connection of its own: `fetch` decodes bodies, normalises paths and follows rules of
 * browsers.
 */
export function ask(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const all = { ...headers, ...(body !== '' && { 'Content-Length': String(Buffer.byteLength(body)) }) };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers: all, agent: false }, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        const { statusCode, headers: said } = response;
        resolve({ ...PLAIN, method, path, origin: headers['Origin'], status: statusCode!, headers: said, body: text });
      });
    });
    sent.on('error', reject).end(body);
  });
}

/** Sends bytes, and reads the answer until the service closes. */
export async function askRaw(app: { readonly url: string }, bytes: string): Promise<Answer> {
  await using connection = await RawConnection.open(app);
  connection.write(bytes);
  await until(() => connection.isClosed, 'it is closed');
  const [top = '', body = ''] = connection.received.split('\r\n\r\n');
  const [first = '', ...lines] = top.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const status = Number(first.split(' ')[1]);
  return { ...PLAIN, isRaw: true, method: 'any', path: '', origin: undefined, status, headers, body };
}

export const BEARER = { Authorization: `Bearer ${OPERATOR_TOKEN}` };
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Requests for each path by each method, whatever their outcome. */
export const HEADER_SETS: readonly Readonly<Record<string, string>>[] = [
  {},
  BEARER,
  { ...BEARER, 'Sec-Fetch-Site': 'cross-site' },
  { Origin: ORIGIN },
  { Origin: 'https://evil.example' },
  { 'If-None-Match': '*', Range: 'bytes=2-1' },
  { 'Accept-Encoding': 'br', 'If-None-Match': '"x"', Range: 'bytes=0-0' },
];
/** PROPFIND represents methods without a route. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'] as const;
/** Invalid bodies, for methods that have one. */
export const BODIES: readonly [headers: Readonly<Record<string, string>>, body: string][] = [
  [{ ...BEARER, ...JSON_TYPE }, '{"unknown":1}'],
  [{ ...BEARER, ...JSON_TYPE }, '{'],
  [{ ...BEARER, ...JSON_TYPE }, `{"a":"${'x'.repeat(20_000)}"}`],
  [{ ...BEARER, ...JSON_TYPE, 'Content-Encoding': 'gzip' }, 'x'],
  [{ ...BEARER, 'Content-Type': 'text/plain' }, 'text'],
];

/** Requests that Koa receives, and that have no valid target. */
export const HOSTLESS: readonly string[] = [
  'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n',
  head('GET ftp://service/', ['Connection: close']),
  head('GET http://service:port/', ['Connection: close']),
];

/** Requests that no request handler receives. */
export const RAW_REQUESTS: readonly string[] = [
  'hello there\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nX-Long: ',
  head('GET /healthz', [`X-Huge: ${'x'.repeat(20_000)}`]),
  head('GET /healthz', ['Expect: miracles']),
  head('GET /elsewhere', ['Connection: Upgrade', 'Upgrade: websocket']),
  head('CONNECT service:443', []),
];

const HANDSHAKE = `${SOCKET_PATH}?EIO=4&transport=polling`;
/** Long-polling requests that are refused. */
export const POLLING_PATHS: readonly string[] = [
  SOCKET_PATH,
  `${HANDSHAKE}&site=pk_test_nobody`,
  `${HANDSHAKE}&site=pk_test_shop&sid=gone`,
  `${SOCKET_PATH}?EIO=3&transport=polling&site=pk_test_nobody`,
  `${SOCKET_PATH}?EIO=4&transport=pigeon&site=pk_test_nobody`,
];
