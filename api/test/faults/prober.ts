import type { Reply } from '@passerby/sdk/protocol';
import { Visitor } from '../harness.ts';
import { pause } from './patience.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** Pauses between two requests. Milliseconds. */
const ASK_EVERY_MS = 50;

/** What one request was answered. */
export interface Answer {
  /** `null` for an answer that is no refusal. */
  readonly refusal: string | null;
  /** When it came. As `performance.now()`. */
  readonly at: number;
  readonly afterMs: number;
}

/**
 * A raw visitor who looks for somebody and cancels, over and over, as long as it is true and the
 * connection holds. The SDK would ask again by itself where this one takes the answer down.
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
