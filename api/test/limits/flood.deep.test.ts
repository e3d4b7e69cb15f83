import { expect, test } from 'vitest';
import { RawVisitor } from '../bounds/raw-visitor.ts';
import { ServiceProcess } from '../../../.config/test/service-process.ts';
import { pairOf, Visitor } from '../harness.ts';

/** Number of turns, in which both are measured, so that other load affects them alike. */
const ROUNDS = 8;
/** Duration of a turn, and pause of the neighbours between two messages. Milliseconds. */
const ROUND_MS = 3_000;
const PAUSE_MS = 40;
/** Factor by which the neighbours' messages may take longer during a flood. */
const RATIO_MAX = 1.5;

const DEMO = { site: 'pk_test_demo', origin: 'http://localhost:3000' };

type Pair = Awaited<ReturnType<typeof pairOf>>;

/** Returns the times of a pair's messages, for a turn, in milliseconds. */
async function deliveries({ a, b, conversationId }: Pair, nextSeq: () => number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + ROUND_MS;
  while (performance.now() < until) {
    const heard = new Promise<void>((resolve) => b.socket.once('conversation:frame', () => resolve()));
    const saidAt = performance.now();
    const seq = nextSeq();
    a.say(conversationId, seq, `message ${seq}`);
    await heard;
    times.push(performance.now() - saidAt);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return times;
}

/** Visitor in a conversation who sends 700 messages a second on demand; at 800 they would be cut. */
async function startFlooder(node: ServiceProcess) {
  const raw = await RawVisitor.arrive(node, DEMO.site, DEMO.origin);
  const peer = await Visitor.arrive(node, DEMO);
  raw.find();
  await peer.find();
  const { conversationId } = await peer.next('conversation:started');
  await raw.packet('conversation:started');
  const body = { kind: 'text', text: 'x'.repeat(500) };
  let seq = 0;
  return {
    raw,
    flood: () => {
      const timer = setInterval(() => {
        for (let count = 0; count < 7; count++) raw.frame({ conversationId, run: 'run', seq: ++seq, ack: 0, body });
      }, 10);
      return () => clearInterval(timer);
    },
    sent: () => seq,
    [Symbol.asyncDispose]: async () => {
      await raw[Symbol.asyncDispose]();
      peer.socket.disconnect();
    },
  };
}

const median = (times: number[]) => times.sort((one, other) => one - other)[Math.floor(times.length / 2)]!;

test('S6 one visitor’s flood does not delay the neighbours’ messages', async () => {
  // The neighbours say more than people do; the flood is far beyond what is let through all the same.
  await using node = await ServiceProcess.start({ RATE_LIMIT_FACTOR: '4' });
  await using neighbours = await pairOf(node, DEMO);
  await using flooder = await startFlooder(node);
  const times = { quiet: [] as number[], flooded: [] as number[] };
  let seq = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const isFlooded = round % 2 === 1;
    const stop = isFlooded ? flooder.flood() : () => undefined;
    times[isFlooded ? 'flooded' : 'quiet'].push(...(await deliveries(neighbours, () => ++seq)));
    stop();
  }
  const [quiet, flooded] = [median(times.quiet), median(times.flooded)];
  process.stdout.write(
    `delivery, median of ${times.quiet.length}: ${quiet.toFixed(3)} ms; of ${times.flooded.length} beside a flood of ` +
      `${flooder.sent()} messages: ${flooded.toFixed(3)} ms; ratio ${(flooded / quiet).toFixed(2)}\n`,
  );
  await flooder.raw.packet('conversation:throttled');
  expect(flooder.raw.webSocket.readyState).toBe(WebSocket.OPEN);
  expect(flooded / quiet).toBeLessThanOrEqual(RATIO_MAX);
});
