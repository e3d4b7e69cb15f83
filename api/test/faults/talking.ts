import { checkInvariants } from '../invariants/invariants.ts';
import { comesTrue, pause } from './patience.ts';
import type { Pair, Guest } from './fault-fixture.ts';

/** Maximum time until the end of a conversation is told to the other side after all faults. Milliseconds. */
const END_MAX_MS = 30_000;

export const guestsOf = (couples: readonly Pair[]): Guest[] => couples.flat();

/** Sends this many messages, about this far apart. */
export async function say({ talker }: Guest, count: number, everyMs: number, random: () => number): Promise<void> {
  for (let n = 0; n < count; n++) {
    talker.say();
    await pause(everyMs * (0.5 + random()));
  }
}

/** Talks for as long as it is true. */
export async function keepTalking(guests: readonly Guest[], everyMs: number, isOn: () => boolean): Promise<void> {
  await Promise.all(
    guests.map(async ({ talker }) => {
      while (isOn()) {
        talker.say();
        await pause(everyMs * (0.5 + Math.random()));
      }
    }),
  );
}

/** Waits until all messages have been acknowledged, and returns the number of those that were not. */
export async function allDelivered(guests: readonly Guest[], withinMs: number): Promise<string[]> {
  await comesTrue(() => guests.every(({ talker }) => talker.underWay === 0), withinMs);
  return guests
    .filter(({ talker }) => talker.underWay > 0)
    .map(({ talker }) => `${talker.name} still has ${talker.underWay} messages under way after ${withinMs} ms`);
}

/** One of each pair leaves; the other must be told. */
export async function part(couples: readonly Pair[]): Promise<string[]> {
  await Promise.all(couples.map(([{ talker }]) => talker.chat.leave()));
  const left = couples.map(([, { talker }]) => talker);
  await comesTrue(() => left.every(({ conversationId }) => conversationId === null), END_MAX_MS);
  return left
    .filter(({ conversationId }) => conversationId !== null)
    .map(({ name }) => `${name} was never told that the peer left`);
}

/** End reasons that must not occur if all conversations must continue. */
export function earlyEnds(guests: readonly Guest[]): string[] {
  return guests.flatMap(({ talker }) =>
    talker.log.events.flatMap((entry) =>
      entry.kind === 'ended'
        ? [
            `${talker.name} was told an early end (${entry.reason}), ${entry.undelivered?.length ?? 0} undelivered, refused: ${talker.errors.map(({ code }) => code).join() || 'nothing'}`,
          ]
        : [],
    ),
  );
}

/** Returns the violations in the records of all visitors. */
export function violationsIn(guests: readonly Guest[]): string[] {
  return checkInvariants(guests.map(({ talker }) => talker.log)).map(
    ({ rule, visitor, what }) => `${rule}: ${visitor} ${what}`,
  );
}

/** Returns the number of messages received. */
export function heardBy(guests: readonly Guest[]): number {
  return guests.reduce((sum, { talker }) => sum + talker.log.events.filter(({ kind }) => kind === 'heard').length, 0);
}

/** Longest interval for which one of them was without a connection, among those that are over. Milliseconds. */
export function longestOutageMs(guests: readonly Guest[]): number {
  return Math.max(0, ...guests.flatMap(({ talker }) => talker.outages.map(({ lostAt, backAt }) => backAt - lostAt)));
}
