import type { ConversationId, ResumeToken } from '@passerby/sdk/protocol';
import { expect } from 'vitest';
import { until, Visitor } from '../harness.ts';
import { chanceFrom } from '../history/stranger.ts';
import { Nodes, type NodesOptions } from './nodes.ts';

/** Interval of the reconciler, so long that no correction can hide a wrong result. Milliseconds. */
const ROUND_MS = 600_000;
/** Share of resumes in which a client acknowledges its token before its connection is lost. */
const CONFIRMS = 0.7;
/** Interval at which the peer repeats its message until the location of the winner is known. Milliseconds. */
const SAY_AGAIN_MS = 20;

/** Number of times the loser was closed, and number of times it came too late and has a session of its own. */
export interface Losers {
  superseded: number;
  newSession: number;
}

export interface Races {
  readonly races: number;
  /** Maximum delay of the second against the first. Milliseconds. */
  readonly lagMaxMs: number;
  readonly seed: number;
}

/**
 * In one running conversation, repeatedly, two connections present the same token; every other time the connection
 * before them is still open. Expects each time that exactly one of the two has the session from then on, and that the
 * other neither sends nor receives.
 */
export async function raceForOneSession(
  options: Omit<NodesOptions, 'roundMs'>,
  { races, lagMaxMs, seed }: Races,
): Promise<Losers> {
  const random = chanceFrom(seed);
  await using nodes = await Nodes.start({ ...options, roundMs: ROUND_MS });
  const losers: Losers = { superseded: 0, newSession: 0 };
  await using peer = await Visitor.arrive(nodes.of(0));
  let present: Visitor = await Visitor.arrive(nodes.of(1));
  await peer.find();
  await present.find();
  const { conversationId } = await peer.next('conversation:started');
  for (let race = 1; race <= races; race++) {
    if (race % 2 === 0) present.cut();
    const { winner, loser } = await presentTwice(nodes, present.all('session:ready')[0]!.resume, random, lagMaxMs);
    const isNew = isNewSession(loser);
    losers[isNew ? 'newSession' : 'superseded'] += 1;
    await until(() => !present.socket.connected, 'the connection before them is closed');
    const sockets = isNew ? 3 : 2;
    await until(() => nodes.held('sockets') === sockets, 'the nodes hold the winner, the peer and a new session only');
    expect(nodes.held('seats')).toBe(2);

    loser.say(conversationId, race, `loser ${race}`);
    await assertOnlyTheyTalk(conversationId, race, peer, winner);
    expect(loser.all('conversation:frame')).toEqual([]);
    if (isNew) await loser.ask('session:close', {});
    loser.socket.disconnect();
    present = winner;
  }
  present.socket.disconnect();
  const heard = peer.all('conversation:frame').map(({ body }) => body['text']);
  expect(heard).toEqual(Array.from({ length: races }, (_, index) => `winner ${index + 1}`));
  return losers;
}

/** Two connections that authenticate as the same visitor, in one turn of the event loop. */
async function presentTwice(
  nodes: Nodes,
  resume: ResumeToken,
  random: () => number,
  lagMaxMs: number,
): Promise<{ winner: Visitor; loser: Visitor }> {
  const standBy = (nth: number) =>
    Visitor.standBy(nodes.of(nth), { auth: { resume }, doesConfirm: random() < CONFIRMS });
  const rivals = await Promise.all([standBy(0), standBy(1)]);
  const [first, second] = random() < 0.5 ? rivals : rivals.toReversed();
  first!.present();
  if (lagMaxMs > 0) await new Promise((resolve) => setTimeout(resolve, random() * lagMaxMs));
  second!.present();
  await until(() => rivals.every(({ told }) => told.length > 0), 'both are told something');
  const holders = () => rivals.filter((rival) => rival.socket.connected && !isNewSession(rival));
  await until(() => holders().length < 2, 'one of the two is closed or has a session of its own');
  const [winner] = holders();
  const loser = rivals.find((rival) => rival !== winner)!;
  const state = { status: 'chatting', peer: 'here' };
  expect(winner?.all('session:ready')).toMatchObject([{ recovered: true, state }]);
  if (!isNewSession(loser)) expect(loser.told.at(-1)?.name).toBe('session:superseded');
  return { winner: winner!, loser };
}

const isNewSession = (visitor: Visitor) => visitor.all('session:ready')[0]?.recovered === false;

async function assertOnlyTheyTalk(
  conversationId: ConversationId,
  race: number,
  peer: Visitor,
  winner: Visitor,
): Promise<void> {
  winner.say(conversationId, race, `winner ${race}`);
  expect(await peer.next('conversation:frame')).toMatchObject({ body: { text: `winner ${race}` } });
  const say = () => peer.say(conversationId, race, `peer ${race}`);
  say();
  const saying = setInterval(say, SAY_AGAIN_MS);
  try {
    expect(await winner.next('conversation:frame')).toMatchObject({ body: { text: `peer ${race}` } });
  } finally {
    clearInterval(saying);
  }
}
