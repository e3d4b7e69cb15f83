import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { head } from './bounds/raw-connection.ts';

/**
 * Way in which a client leaves after it sent its bytes: resets the connection, closes its side, or closes it after a
 * first byte came.
 */
export const GOINGS = ['reset', 'half-close', 'reset while read'] as const;
export type Going = (typeof GOINGS)[number];

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const JSON_TYPE = 'Content-Type: application/json';

/** Malicious requests, to every path and to none, by name. */
export function hostileInputs(
  paths: readonly string[],
  token: string,
): readonly [name: string, bytes: string | Buffer][] {
  const bearer = `Authorization: Bearer ${token}`;
  const perPath = paths.flatMap<[string, string | Buffer]>((path) => [
    [`GET ${path}`, head(`GET ${path}`, [bearer])],
    [`HEAD ${path}`, head(`HEAD ${path}`, [])],
    [`OPTIONS ${path}`, head(`OPTIONS ${path}`, ['Origin: null'])],
    [`BREW ${path}`, head(`BREW ${path}`, [])],
    [
      `bad conditions ${path}`,
      head(`GET ${path}`, ['Accept-Encoding: ;q=,*;q=x', 'If-None-Match: "', 'Range: bytes=9-1']),
    ],
    [`half a body ${path}`, head(`POST ${path}`, [bearer, JSON_TYPE, 'Content-Length: 9000']) + '{"a":'],
    [`a bad chunk ${path}`, head(`POST ${path}`, [bearer, JSON_TYPE, 'Transfer-Encoding: chunked']) + 'zz\r\n'],
    [
      `a body badly packed ${path}`,
      head(`POST ${path}`, [bearer, JSON_TYPE, 'Content-Encoding: gzip', 'Content-Length: 5']) + 'trash',
    ],
    [
      `half a packed body ${path}`,
      head(`POST ${path}`, [bearer, JSON_TYPE, 'Content-Encoding: br', 'Content-Length: 900']) + 'trash',
    ],
    [`an upgrade ${path}`, head(`GET ${path}`, UPGRADE)],
    [`an expectation ${path}`, head(`POST ${path}`, ['Expect: miracles', 'Content-Length: 3'])],
    [`an absolute target ${path}`, head(`GET http://service${path}`, [])],
    [`an absolute target with a bad port ${path}`, head(`GET http://service:port${path}`, [])],
    [`a query that cannot be decoded ${path}`, head(`GET ${path}?%ff=%&site[]=%00`, [])],
  ]);
  return [
    ...perPath,
    ['CONNECT', head('CONNECT service:443', [])],
    ['OPTIONS *', head('OPTIONS *', [])],
    ['GET *', head('GET *', [])],
    ['two slashes and a bad port', head('GET //service:port/', [])],
    ['a path that cannot be decoded', head('GET /%ff', [])],
    ['another scheme', head('GET ftp://service:x/', [])],
    ['no HTTP', 'hello there\r\n\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['half a head', 'GET /healthz HTTP/1.1\r\nHost: x'],
    ['a huge head', head('GET /', [`X-Huge: ${'x'.repeat(20_000)}`])],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a NUL in the head', head('GET /', ['X-Nul: a\0b'])],
    ['two lengths', head('POST /', ['Content-Length: 1', 'Content-Length: 2'])],
    ['two ways to end a body', head('POST /', ['Content-Length: 1', 'Transfer-Encoding: chunked'])],
    [
      'an upgrade to HTTP/2',
      head('GET /', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAA']),
    ],
    ['an upgrade without a key', head(`GET ${SOCKET_PATH}?EIO=4&transport=websocket`, UPGRADE.slice(0, 2))],
    ['two requests at once', head('GET /widget.js', []) + head('GET /widget.js', [])],
  ];
}

/** Sends bytes to a port of the loopback and leaves. Resolves once the connection is closed. */
export function sendAndGo(port: number, bytes: string | Buffer, going: Going): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    // To be reset first is what may happen to somebody like that.
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.once('connect', () => {
      socket.write(bytes);
      switch (going) {
        case 'reset':
          setImmediate(() => socket.resetAndDestroy());
          return;
        case 'half-close':
          socket.resume().end();
          return;
        case 'reset while read':
          socket.once('data', () => socket.resetAndDestroy());
          // Where nothing comes, it goes all the same.
          setTimeout(() => socket.resetAndDestroy(), 100);
      }
    });
  });
}

/** Calls a function `count` times, `CONCURRENCY` at once. */
export async function inCrowds(count: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

const CONCURRENCY = 40;

/** Returns the number of open file descriptors of this process, sockets included. */
export const descriptorCount = (): number => readdirSync('/dev/fd').length;

/** Returns the paths of the routes of an app, without parameters, and of other answered requests. */
export function pathsOf(routes: readonly string[]): readonly string[] {
  const paths = routes.map((route) => route.split(' ')[1]!.replaceAll(/:\w+/g, 'x'));
  const others = ['/', '/talk', '/widget.js', '/passerby-chat.js', '/nothing', SOCKET_PATH];
  const polling = `${SOCKET_PATH}?EIO=4&transport=polling&site=pk_test_shop`;
  return [...new Set([...paths, ...others, polling, `${polling}&sid=x`])];
}
