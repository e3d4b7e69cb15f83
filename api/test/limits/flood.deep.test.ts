import { expect, test } from 'vitest';
import { NodeProcess } from '../servers/node-process.ts';
import { pairOf, type Visitor } from '../harness.ts';

/** Measured in turns, so that what else the machine does falls on both alike. */
const ROUNDS = 12;
const MESSAGES = 100;
/** The neighbours may take this many times as long while somebody floods. */
const RATIO_MAX = 1.5;

type Pair = Awaited<ReturnType<typeof pairOf>>;

/** How long messages of a pair take from one to the other, in milliseconds. */
async function deliveries({ a, b, conversationId }: Pair, from: number): Promise<number[]> {
  const times: number[] = [];
  for (let seq = from; seq < from + MESSAGES; seq++) {
    const heard = new Promise<void>((resolve) => b.socket.once('conversation:frame', () => resolve()));
    const saidAt = performance.now();
    a.say(conversationId, seq, `message ${seq}`);
    await heard;
    times.push(performance.now() - saidAt);
  }
  return times;
}

/** Sends five thousand messages a second, from a process that has the time: until stopped. */
function flood(visitor: Visitor, conversationId: Pair['conversationId']): () => void {
  let seq = 0;
  const timer = setInterval(() => {
    for (let count = 0; count < 50; count++) visitor.say(conversationId, ++seq, 'x'.repeat(500));
  }, 10);
  return () => clearInterval(timer);
}

const median = (times: number[]) => times.sort((one, other) => one - other)[Math.floor(times.length / 2)]!;

test('one visitor’s flood leaves the neighbours’ delivery as it was', async () => {
  // The neighbours say more than people do; the flood is far beyond what is let through all the same.
  await using node = await NodeProcess.start({ SITES_FILE: '', RATE_LIMIT_FACTOR: '4' });
  const options = { site: 'pk_test_demo', origin: 'http://localhost:3000' };
  await using neighbours = await pairOf(node, options);
  await using flooding = await pairOf(node, options);
  const times = { quiet: [] as number[], flooded: [] as number[] };
  await deliveries(neighbours, 1);
  let seq = 1 + MESSAGES;
  for (let round = 0; round < ROUNDS; round++) {
    const stop = round % 2 === 0 ? () => undefined : flood(flooding.a, flooding.conversationId);
    times[round % 2 === 0 ? 'quiet' : 'flooded'].push(...(await deliveries(neighbours, seq)));
    stop();
    seq += MESSAGES;
    // Until there is room for the next hundred.
    await new Promise((resolve) => setTimeout(resolve, 7_000));
  }
  const [quiet, flooded] = [median(times.quiet), median(times.flooded)];
  process.stdout.write(`delivery, median: ${quiet.toFixed(3)} ms, beside a flood ${flooded.toFixed(3)} ms\n`);
  expect(flooded / quiet).toBeLessThanOrEqual(RATIO_MAX);
});
