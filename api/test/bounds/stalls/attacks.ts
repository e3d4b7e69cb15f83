import { LIMITS, REQUEST_NAMES, type RequestName } from '@passerby/sdk/protocol';
import { CONNECTION_LIMITS } from '../../../src/limits/connection-limits.ts';
import { REQUEST_PACKET_CHARS } from '../../../src/contract/packet-sizes.ts';
import { OPCODE, webSocketFrame } from '../web-socket-frame.ts';
import { askAgainAndAgain, openAgainAndAgain } from './loops.ts';
import { burst, openSessions, packet, type Session } from './sessions.ts';
import { requestOf, upgradeOf, type Target } from './target.ts';

/** Starts the attack on the service; resolves once it has begun. */
export type Attack = (target: Target) => Promise<void>;

const { addressConnectionsMax, addressTcpMax, packetsMax, packetsMaxBytes } = CONNECTION_LIMITS;
/** Part of the quota that a session has used before, rounded up. */
const SPENT = { packets: 8, bytes: 2_048 };

/** Returns the maximum number of these that a connection may send at once. */
function asManyAsMay(text: string): Buffer {
  const one = packet(text);
  const count = Math.min(packetsMax - SPENT.packets, Math.floor((packetsMaxBytes - SPENT.bytes) / text.length));
  return Buffer.concat(Array.from({ length: count }, () => one));
}

const bursts =
  (textOf: (session: Session) => string, { isPaired = false } = {}): Attack =>
  async (target) => {
    const sessions = await openSessions(target, addressConnectionsMax, isPaired);
    void burst(sessions, (session) => asManyAsMay(textOf(session)));
  };

const asking =
  (
    method: string,
    path: string,
    options: Parameters<typeof requestOf>[3] = {},
    connections: number = addressTcpMax,
  ): Attack =>
  async (target) =>
    askAgainAndAgain(target, connections, requestOf(target, method, path, options));

const connecting =
  (...texts: readonly string[]): Attack =>
  async (target) =>
    openAgainAndAgain(target, addressConnectionsMax, upgradeOf(target), Buffer.concat(texts.map(packet)));

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** Claims whose signature alone is invalid. */
const claims = () =>
  [
    base64({ alg: 'EdDSA' }),
    base64({ exp: Math.floor(Date.now() / 1_000) + 300 }),
    Buffer.alloc(64, 7).toString('base64url'),
  ].join('.');

const ID = `c_${'x'.repeat(22)}`;
const frameOf = (session: Session, seq: number, body: string) =>
  `42["conversation:frame",{"conversationId":"${session.conversationId || ID}","run":"r","seq":${seq},"ack":0,"body":${body}}]`;
const filledTo = (chars: number, start: string, end: string, filling: string) =>
  start + filling.repeat(Math.floor((chars - start.length - end.length) / filling.length)) + end;

/** Payload of maximum size for each request that is parsed, valid if possible. */
function largest(name: RequestName): string {
  const [start, end] = [`421["${name}",`, ']'];
  const payloads: Partial<Record<RequestName, string>> = {
    'match:find': JSON.stringify({
      requestId: 'r'.repeat(64),
      interests: Array.from({ length: LIMITS.interestsMax }, () => '\u0001'.repeat(LIMITS.interestMaxChars)),
      topic: '\u0001'.repeat(LIMITS.topicMaxChars),
    }),
    'conversation:report': JSON.stringify({
      conversationId: ID,
      reason: 'spam',
      messages: Array.from({ length: LIMITS.reportMessagesMax }, () => ({ from: 'me', text: 'é'.repeat(1_500) })),
    }),
    'session:prove': JSON.stringify({
      solution: btoa(JSON.stringify({ solution: { counter: 1, derivedKey: 'x'.repeat(2_500) } })),
    }),
  };
  const chars = REQUEST_PACKET_CHARS[name] - start.length - end.length;
  return start + (payloads[name] ?? filledTo(chars, '{"', '":0}', 'x')) + end;
}

const manyKeys = (count: number, chars: number) => {
  const width = Math.floor(chars / count) - 5;
  return `{"kind":"x"${Array.from({ length: count }, (_, key) => `,"${key.toString(36).padStart(width, 'k')}":0`).join('')}}`;
};

/** Body of long-polling for each connection of an address, which has to be opened separately. */
const polling =
  (body: string): Attack =>
  async (target) => {
    const { host, port } = target;
    for (let count = 0; count < addressConnectionsMax; count++) void pollOnce();
    async function pollOnce(): Promise<void> {
      for (;;) {
        const url = `http://${host}:${port}/socket.io/?EIO=4&transport=polling&site=${target.site}`;
        const headers = { Origin: target.origin };
        try {
          const opened = await (await fetch(url, { headers })).text();
          const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
          const ask = (method: string, text?: string) =>
            fetch(`${url}&sid=${sid}`, { method, headers, ...(text !== undefined && { body: text }) }).then((r) =>
              r.text(),
            );
          await ask('POST', '40{"version":1}');
          await ask('POST', body);
        } catch {
          // It was cut: the next one begins anew.
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    }
  };

const DEEP = 8_000;

/** Worst attacks that one address may make, by entry point. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'handshake, long-polling': asking('GET', '/socket.io/?EIO=4&transport=polling&site=SITE'),
  'handshake, long-polling, another origin': asking('GET', '/socket.io/?EIO=4&transport=polling&site=pk_live_nobody'),
  'handshake, WebSocket': async (target) =>
    openAgainAndAgain(target, addressConnectionsMax, upgradeOf(target), 'go again'),
  'handshake, WebSocket, another origin': async (target) =>
    openAgainAndAgain(target, addressTcpMax, upgradeOf({ ...target, site: 'pk_live_nobody' }), 'go again'),
  'CONNECT with unsigned claims': (target) => connecting(`40{"version":1,"claims":"${claims()}"}`)(target),
  'CONNECT that is refused': connecting('40{"version":99}'),
  'CONNECT that nests 8,000 deep': connecting(`40{"version":1,"x":${'['.repeat(DEEP / 2)}}`),
  'CONNECT, ten at once': connecting(...Array.from({ length: 10 }, () => '40{"version":1}')),
  ...Object.fromEntries(REQUEST_NAMES.map((name) => [name, bursts(() => largest(name))])),
  'request of 64 KiB': bursts(() => filledTo(65_000, '421["match:find",{"requestId":"', '"}]', 'x')),
  'request that nests 8,000 deep': bursts(() => `421["conversation:report",${'['.repeat(DEEP)}${']'.repeat(DEEP)}]`),
  'unknown event': bursts(() => '421["nonsense",{}]'),
  'unexpected acknowledgement': bursts(() => `43999[${'0,'.repeat(100)}0]`),
  'frame, a message': bursts((session) => frameOf(session, 1, `{"kind":"text","text":"${'\\u0001'.repeat(1_300)}"}`), {
    isPaired: true,
  }),
  'frame, short messages': bursts((session) => frameOf(session, 1, '{"kind":"text","text":"hello"}'), {
    isPaired: true,
  }),
  'frame, typing': bursts((session) => frameOf(session, 0, '{"kind":"typing","on":true}'), { isPaired: true }),
  'frame, text numbered 0': bursts((session) => frameOf(session, 0, `{"kind":"text","text":"${'x'.repeat(1_300)}"}`), {
    isPaired: true,
  }),
  'frame of 64 KiB': bursts((session) => frameOf(session, 1, filledTo(65_000, '{"kind":"x","x":"', '"}', 'x'))),
  'frame that nests 8,000 deep': bursts((session) =>
    frameOf(session, 1, `{"kind":"x","x":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`),
  ),
  'frame of 50 long keys': bursts((session) => frameOf(session, 1, manyKeys(50, 15_000)), { isPaired: true }),
  'frame of 50 short keys': bursts((session) => frameOf(session, 1, manyKeys(50, 600)), { isPaired: true }),
  'frame of 2,000 keys': bursts((session) => frameOf(session, 1, manyKeys(2_000, 16_000))),
  'WebSocket pings': async (target) => {
    const sessions = await openSessions(target, addressConnectionsMax, false);
    const ping = webSocketFrame(OPCODE.ping, 'x'.repeat(125));
    const pings = Buffer.concat(Array.from({ length: packetsMax - SPENT.packets }, () => ping));
    void burst(sessions, () => pings);
  },
  'long-polling, 390 requests in a body': polling(
    Array.from({ length: 390 }, (_, n) => `42${n}["session:check",{}]`).join('\x1e'),
  ),
  'long-polling, 32,000 packets in a body': polling(Array.from({ length: 32_000 }, () => '3').join('\x1e')),
  'GET /v1/site': asking('GET', '/v1/site?site=SITE'),
  'GET /v1/site, another origin': asking('GET', '/v1/site?site=pk_live_nobody'),
  'GET /healthz': asking('GET', '/healthz'),
  'GET /widget.js': asking('GET', '/widget.js'),
  'GET of an unknown path': asking('GET', '/nothing'),
  'GET /metrics without its token': asking('GET', '/metrics'),
  'POST of 16 KiB that nests 8,000 deep to the operators’ API, without its token': asking('POST', '/admin/v1/sites', {
    headers: ['Content-Type: application/json'],
    body: '['.repeat(DEEP) + ']'.repeat(DEEP),
  }),
};
