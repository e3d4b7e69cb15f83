import { expect } from 'vitest';
import { chanceFrom } from '../history/stranger.ts';
import type { App } from '../../src/app.ts';
import { DEMO_SITE } from '../../src/sites/site-directory.ts';
import { pairOf, until } from '../harness.ts';
import { startInspected } from '../servers/inspector.ts';
import { PacketFuzzer } from './fuzz-packets.ts';
import { fuzzPolling, fuzzWebSockets, nothingFuzzed, type Fuzzed, type Target } from './fuzzers.ts';

const WORKERS = 4;
const ORIGIN = 'http://localhost:1';
const SAY_EVERY_MS = 20;

type Pair = Awaited<ReturnType<typeof pairOf>>;

/** State of a service after it was sent malformed packets. */
export interface FuzzOutcome {
  readonly fuzzed: Fuzzed;
  readonly isRunning: boolean;
  /** Beginning of its output, without the line with its address. */
  readonly complaints: string;
  readonly isPolluted: boolean;
  /** By pair: number of frames each of the two sent, and the frames both received. */
  readonly talks: readonly { readonly said: number; readonly heard: readonly (readonly number[])[] }[];
}

/** Sends half of the packets over each transport to a service of its own, while a pair on each talks. */
export async function fuzz(seed: number, packets: number): Promise<FuzzOutcome> {
  const { node, inspector } = await startInspected();
  const target: Target = { url: node.url, site: DEMO_SITE.keys[0]!, origin: ORIGIN };
  const app = node as unknown as App;
  const whom = { site: target.site, origin: target.origin };
  await using one = await pairOf(app, whom);
  await using other = await pairOf(app, { ...whom, transports: ['polling'] });
  const talks = [new Talk(one), new Talk(other)];

  const fuzzed = nothingFuzzed();
  const each = packets / 2 / WORKERS;
  await Promise.all(
    Array.from({ length: 2 * WORKERS }, async (_, worker) => {
      const fuzzer = new PacketFuzzer(chanceFrom(seed * 1_000 + worker));
      const mine = nothingFuzzed();
      await (worker < WORKERS ? fuzzWebSockets : fuzzPolling)(target, fuzzer, each, mine);
      add(mine, fuzzed);
    }),
  ).catch((cause: Error) => {
    throw new Error(`${cause.message}; the service printed: ${node.output}`, { cause });
  });

  for (const talk of talks) await talk.end();
  return {
    fuzzed,
    isRunning: node.isRunning,
    complaints: node.output
      .replace(/^(Passerby is at|Debugger |For help, see|Starting inspector).*$/gm, '')
      .trim()
      .slice(0, 2_000),
    isPolluted: await inspector.evaluate("'isPolluted' in {}"),
    talks: talks.map(({ said, heard }) => ({ said, heard })),
  };
}

/** Fails unless the only effects were refusals and closed connections. */
export function expectUnharmed({ fuzzed, talks, ...service }: FuzzOutcome, packets: number): void {
  expect(service).toEqual({ isRunning: true, complaints: '', isPolluted: false });
  for (const { said, heard } of talks) {
    const all = Array.from({ length: said }, (_, index) => index + 1);
    expect(heard).toEqual([all, all]);
  }
  expect(fuzzed.sent).toBeGreaterThanOrEqual(packets);
  expect(fuzzed.refusals.get('bad_request')).toBeGreaterThan(packets / 10);
  expect(fuzzed.refusals.get('internal')).toBeUndefined();
}

function add(from: Fuzzed, to: Fuzzed): void {
  to.sent += from.sent;
  to.connections += from.connections;
  for (const [code, count] of from.refusals) to.refusals.set(code, (to.refusals.get(code) ?? 0) + count);
}

/** Pair that sends numbers to each other, from now until the end. */
class Talk {
  readonly #pair: Pair;
  readonly #timer: NodeJS.Timeout;
  said = 0;

  constructor(pair: Pair) {
    this.#pair = pair;
    this.#timer = setInterval(() => {
      this.said += 1;
      for (const visitor of [pair.a, pair.b]) visitor.say(pair.conversationId, this.said, `${this.said}`);
    }, SAY_EVERY_MS);
  }

  get heard(): number[][] {
    return [this.#pair.a, this.#pair.b].map((visitor) => visitor.all('conversation:frame').map(({ seq }) => seq));
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await until(() => this.heard.every((seqs) => seqs.at(-1) === this.said), 'both heard the last');
  }
}
