import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { pause } from '../faults/patience.ts';
import { playScenario, siteIdOf, type Scenario, type TwoNodes } from '../history/two-nodes.ts';
import { conversationsIn, firstStartAfter, type LoggedEvent } from '../invariants/event-log.ts';
import { checkInvariants, type Violation } from '../invariants/invariants.ts';
import { inspectRedis } from '../model/worlds.ts';
import { assertConsistent } from './consistency.ts';

/** Outcome of a loss under a crowd, to be printed and judged. */
export interface LossOutcome {
  readonly violations: readonly Violation[];
  /** Visitors who were answered `internal`: a script failed on what it read. */
  readonly failed: readonly string[];
  readonly conversations: number;
  /** Conversations that started after the loss. */
  readonly startedAfter: number;
  /** Time from the loss to the first start of the visitor who waited longest for one. Milliseconds. */
  readonly servedMs: number;
}

/** Runs a scenario with a loss in the middle. */
export async function playLoss(
  two: TwoNodes,
  scenario: Omit<Scenario, 'fault'>,
  lose: () => Promise<void>,
): Promise<LossOutcome> {
  let lostAt = Number.POSITIVE_INFINITY;
  const logs = await playScenario(two, {
    ...scenario,
    fault: async () => {
      await pause(scenario.liveMs / 2);
      await lose();
      lostAt = performance.now();
    },
  });
  const firsts = logs.map((log) => firstStartAfter(log, lostAt)).filter((at) => at !== null);
  return {
    violations: checkInvariants(logs, { areCutsAllowed: true }),
    failed: logs.filter(({ events }) => events.some(isInternal)).map(({ visitor }) => visitor),
    conversations: conversationsIn(logs),
    startedAfter: firsts.length,
    servedMs: Math.round(Math.max(0, ...firsts) - lostAt),
  };
}

/** Asserts that there was no violation, that nobody is stuck, and that matching resumed. */
export function expectServed(outcome: LossOutcome, { areBlocksLost = false } = {}): void {
  const { violations, failed, conversations, startedAfter } = outcome;
  expect(violations.filter(({ rule }) => !(areBlocksLost && rule === 'I5'))).toEqual([]);
  expect(failed).toEqual([]);
  expect(startedAfter, `of ${conversations} conversations`).toBeGreaterThan(0);
}

/** Asserts that no node ended, and that no round of one failed. */
export function expectUnharmed(two: TwoNodes): void {
  expect(two.nodes.map(({ isRunning }) => isRunning)).toEqual([true, true]);
  expect(two.nodes.map(({ output }) => output).join('')).not.toContain('round failed');
}

/** Asserts that the store is consistent within a few rounds, which handle visitors who left with the scenario. */
export async function expectConsistent(redis: Redis, seed: number): Promise<void> {
  const fault = async () => {
    try {
      assertConsistent(await inspectRedis(redis, siteIdOf(seed)));
      return '';
    } catch (thrown) {
      return String(thrown);
    }
  };
  await expect.poll(fault, { timeout: 60_000, interval: 500 }).toBe('');
}

const isInternal = (event: LoggedEvent) => event.kind === 'answered' && event.answer === 'internal';
