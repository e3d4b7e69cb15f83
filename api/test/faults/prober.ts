import type { Reply } from '@passerby/sdk/protocol';
import { Visitor } from '../harness.ts';
import { pause } from './patience.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** Pauses between two requests. Milliseconds. */
const ASK_EVERY_MS = 50;

/** Answer to one request. */
export interface Answer {
  /** Code of the refusal; `null` for any other answer. */
  readonly refusal: string | null;
  /** Time of arrival, by `performance.now()`. */
  readonly at: number;
  readonly afterMs: number;
}

/**
 * Raw visitor who searches and cancels repeatedly, as long as it is true and the connection lasts. The SDK would retry
 * by itself where this one records the answer.
 */
export async function probe(entrance: TcpProxy, site: string, isOn: () => boolean): Promise<Answer[]> {
  await using visitor = await Visitor.arrive({ url: `http://127.0.0.1:${entrance.port}` }, { site });
  const answers: Answer[] = [];
  const note = (askedAt: number, reply: Reply<unknown>) => {
    const at = performance.now();
    answers.push({ refusal: reply.ok ? null : reply.error.code, at, afterMs: at - askedAt });
  };
  for (let isFind = true; isOn() && visitor.socket.connected; isFind = !isFind) {
    note(performance.now(), await (isFind ? visitor.find() : visitor.ask('match:cancel', {})));
    await pause(ASK_EVERY_MS);
  }
  return answers;
}
