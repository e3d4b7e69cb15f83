import { Agent, request } from 'node:http';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { WebSocket } from 'ws';
import { ORIGIN, SHOP } from '../harness.ts';

export type Transport = 'websocket' | 'polling';

/**
 * Connects, returns `let in` or the code of a refusal, wherever it is made, and disconnects. `forwarded` is the
 * X-Forwarded-For of the request.
 */
export function handshake(url: string, transport: Transport, forwarded: string): Promise<string> {
  const headers = { Origin: ORIGIN, 'X-Forwarded-For': forwarded };
  return transport === 'websocket' ? knockByWebSocket(url, headers) : knockByPolling(url, headers);
}

/** Connects many times, some at once; returns the number of each answer. */
export async function handshakes(url: string, transport: Transport, forwarded: readonly string[]) {
  const answers: Record<string, number> = {};
  const waiting = [...forwarded];
  const comer = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const answer = await handshake(url, transport, next);
      answers[answer] = (answers[answer] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, comer));
  return answers;
}

type Headers = Readonly<Record<string, string>>;

function knockByWebSocket(url: string, headers: Headers): Promise<string> {
  const query = new URLSearchParams({ EIO: '4', transport: 'websocket', site: SHOP.key });
  const socket = new WebSocket(`${url.replace('http', 'ws')}${SOCKET_PATH}?${query}`, { headers });
  return new Promise<string>((resolve, reject) => {
    socket.on('open', () => socket.send('40{"version":1}'));
    socket.on('message', (data: Buffer) => {
      const answer = answerIn(data.toString());
      if (answer !== null) resolve(answer);
    });
    socket.on('unexpected-response', (_, response) => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
    socket.on('error', reject);
    // After an answer nobody hears this any more.
    socket.on('close', () => reject(new Error('closed without an answer')));
  }).finally(() => socket.terminate());
}

async function knockByPolling(url: string, headers: Headers): Promise<string> {
  using agent = Object.assign(new Agent({ keepAlive: true }), { [Symbol.dispose]: () => agent.destroy() });
  let sid: string | null = null;
  const ask = (method: 'GET' | 'POST', body?: string) => {
    const query = new URLSearchParams({ EIO: '4', transport: 'polling', site: SHOP.key, ...(sid !== null && { sid }) });
    return new Promise<string>((resolve, reject) => {
      request(`${url}${SOCKET_PATH}?${query}`, { method, headers, agent }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end(body);
    });
  };
  const opened = await ask('GET');
  const refused = /^\{"code":4,"message":"([a-z_]+)"\}$/.exec(opened);
  if (refused !== null) return refused[1]!;
  sid = (JSON.parse(opened.slice(1)) as { sid: string }).sid;
  await ask('POST', '40{"version":1}');
  for (;;) {
    const answer = answerIn(await ask('GET'));
    if (answer === null) continue;
    if (answer === 'let in') await ask('POST', '1');
    return answer;
  }
}

function answerIn(packets: string): string | null {
  if (packets.includes('"session:ready"')) return 'let in';
  return /(?:"session:refused",|44\{"message":"[^"]*","data":)\{"code":"([a-z_]+)"/.exec(packets)?.[1] ?? null;
}
