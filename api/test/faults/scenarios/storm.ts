import { chanceFrom } from '../../history/stranger.ts';
import { inflict, type Fault } from '../faults.ts';
import { comesTrue, pause } from '../patience.ts';
import type { FaultScenario, Profile } from '../scenario.ts';
import { FaultFixture, type Guest } from '../fault-fixture.ts';
import { allDelivered, heardBy, violationsIn } from '../talking.ts';

const RUNS = { short: 1, deep: 200 } as const satisfies Record<Profile, number>;

const VISITORS = 10;
const LIVE_MS = 2_500;
/**
 * Time after which every end must be told: that of a peer whose session was lost is told after the grace period, as is
 * that of a silent connection. Milliseconds.
 */
const REST_MAX_MS = 75_000;

/** Faults of one visitor's connections. */
const LINE_HARMS = ['cut', 'reset', 'slice', 'delay', 'throttle', 'lost replies', 'shut'] as const;
/** Faults that affect all. */
const SERVICE_HARMS = ['lost replies', 'script flush', 'client kill', 'client pause', 'node stopped'] as const;
/** Rare faults, which need a new process, or end every conversation. */
const RARE_HARMS = ['node killed', 'flush'] as const;
const RARE_EVERY = 10;

/** Many short runs, each with faults determined by its seed, while visitors search, talk and skip. */
export const storm: FaultScenario = {
  name: 'storm',
  promise: 'messages reach only the present peer, and every conversation ends once on both sides',
  timeoutMs: { short: 180_000, deep: 1_800_000 },
  async run(profile, seed) {
    await using stage = await FaultFixture.start(RUNS[profile]);
    const violations: string[] = [];
    const harms = new Map<string, number>();
    let [heard, conversations, slowestMs] = [0, 0, 0];
    for (let run = seed; run < seed + RUNS[profile]; run++) {
      const restingSince = performance.now() + LIVE_MS;
      const { guests, inflicted, wrong } = await playRun(stage, run);
      slowestMs = Math.max(slowestMs, performance.now() - restingSince);
      for (const harm of inflicted) harms.set(harm, (harms.get(harm) ?? 0) + 1);
      heard += heardBy(guests);
      conversations += conversationsOf(guests);
      violations.push(...wrong.map((what) => `seed ${run} (${inflicted.join(', ')}): ${what}`));
      await stage.dismiss(guests);
    }
    const counts = [...harms].map(([harm, count]) => `${count} × ${harm}`).join(', ');
    return {
      figure: `${RUNS[profile]} runs, ${conversations} conversations, ${heard} messages heard, at rest ${Math.round(slowestMs)} ms after a run at most; ${counts}`,
      violations,
    };
  },
};

interface Run {
  readonly guests: readonly Guest[];
  readonly inflicted: readonly string[];
  readonly wrong: readonly string[];
}

async function playRun(stage: FaultFixture, seed: number): Promise<Run> {
  const random = chanceFrom(seed);
  const site = stage.newSite();
  const guests: Guest[] = [];
  for (let n = 1; n <= VISITORS; n++) guests.push(stage.invite(`v${n}`, site, await stage.entrance()));
  const inflicted: string[] = [];
  const until = performance.now() + LIVE_MS;
  await Promise.all([
    ...guests.map((guest, index) => live(guest, until, chanceFrom(seed * 1_000_003 + index))),
    harmLines(guests, until, random, inflicted),
    harmService(stage, seed, chanceFrom(seed * 7_919), inflicted),
  ]);
  for (const { entrance } of guests) entrance.calm();
  return { guests, inflicted, wrong: [...(await comeToRest(guests)), ...violationsIn(guests)] };
}

/** Searches, talks, skips and stops at random. */
async function live({ talker }: Guest, until: number, random: () => number): Promise<void> {
  const { chat } = talker;
  await pause(random() * 200);
  while (performance.now() < until) {
    const luck = random();
    const { status } = chat.snapshot().state;
    if (status === 'chatting' && luck < 0.8) talker.say();
    else if (status === 'chatting' && luck < 0.87) talker.wish(chat.skip());
    else if (status === 'chatting' && luck < 0.9) talker.wish(chat.leave());
    else if (status !== 'chatting' && status !== 'waiting') talker.wish(chat.find());
    await pause(20 + random() * 60);
  }
}

async function harmLines(guests: readonly Guest[], until: number, random: () => number, inflicted: string[]) {
  await pause(300);
  while (performance.now() < until) {
    const { entrance } = guests[Math.floor(random() * guests.length)]!;
    const harm = LINE_HARMS[Math.floor(random() * LINE_HARMS.length)]!;
    inflicted.push(`line ${harm}`);
    switch (harm) {
      case 'cut':
        entrance.cut();
        break;
      case 'reset':
        entrance.reset();
        break;
      case 'slice':
        entrance.slice(1 + Math.floor(random() * 20));
        break;
      case 'delay':
        entrance.delay(random() * 300);
        break;
      case 'throttle':
        entrance.throttle(2_000 + random() * 20_000);
        break;
      case 'lost replies':
        await entrance.loseReplies(50 + random() * 200);
        break;
      case 'shut':
        await entrance.refuse(random() * 300);
    }
    await pause(100 + random() * 300);
  }
}

async function harmService(
  stage: FaultFixture,
  seed: number,
  random: () => number,
  inflicted: string[],
): Promise<void> {
  await pause(400 + random() * 800);
  const among = seed % RARE_EVERY === 0 ? RARE_HARMS : SERVICE_HARMS;
  const harm = among[Math.floor(random() * among.length)]!;
  inflicted.push(harm);
  const node = stage.nodes[Math.floor(random() * stage.nodes.length)]!;
  switch (harm) {
    case 'node stopped':
      node.signal('SIGSTOP');
      await pause(300 + random() * 700);
      return node.signal('SIGCONT');
    case 'node killed':
      await stage.kill(node);
      return void (await stage.addNode());
    case 'flush':
      return stage.flush();
    default:
      return inflict(harm satisfies Fault, stage.redis, stage.redisProxy);
  }
}

/** Waits for messages in flight, then one of each pair leaves: afterwards nobody may be in a conversation. */
async function comeToRest(guests: readonly Guest[]): Promise<string[]> {
  const talking = () => guests.filter(({ talker }) => talker.conversationId !== null);
  const late = await allDelivered(guests, REST_MAX_MS);
  for (const { talker } of guests) {
    const isAlone = talker.chat.snapshot().state.status === 'waiting';
    const isFirst = guests.find((other) => other.talker.conversationId === talker.conversationId)?.talker === talker;
    if (isAlone || isFirst) talker.wish(talker.chat.leave());
  }
  await comesTrue(() => talking().length === 0, REST_MAX_MS);
  return [...late, ...talking().map(({ talker }) => `${talker.name} is still in ${talker.conversationId}`)];
}

function conversationsOf(guests: readonly Guest[]): number {
  const starts = guests.flatMap(({ talker }) =>
    talker.log.events.flatMap((entry) => (entry.kind === 'started' ? [entry.conversationId] : [])),
  );
  return new Set(starts).size;
}
