import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { NODE_LEASE_MS, type KeyName } from '../../src/state/redis/keys.ts';
import type { SCRIPTS } from '../../src/state/redis/scripts.ts';
import { TIMES } from '@passerby/sdk/protocol';
import { NODES, SITES, type Inspection, type World } from '../model/world.ts';
import { redisWorld } from '../model/worlds.ts';
import { assertConsistent, expectSame } from './consistency.ts';
import { deleteEntry, deleteKey, KEY_NAMES, takeSnapshot } from './loss.ts';
import { Witness } from './witness.ts';

const SITE = SITES[0]!;
/**
 * Rounds after the last loss by which all must be repaired: a node that is listed anew is found dead after a lease, and
 * an absent visitor is lost after the grace period.
 */
const ROUNDS = Math.ceil((NODE_LEASE_MS + TIMES.graceMs) / 1_000) + 10;

const ACTS = ['arrive', 'find', 'leave', 'skip', 'block', 'cancel', 'confirm', 'cut', 'return', 'close'] as const;
type Step =
  | { readonly kind: 'act'; readonly act: (typeof ACTS)[number]; readonly who: number; readonly node: number }
  | { readonly kind: 'round'; readonly ms: number }
  | { readonly kind: 'lose entry'; readonly key: KeyName; readonly pick: number }
  | { readonly kind: 'lose key'; readonly key: KeyName }
  | { readonly kind: 'keep' }
  | { readonly kind: 'go back' };
export type Steps = Step[];

const key = fc.constantFrom(...KEY_NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('act'),
      act: fc.constantFrom(...ACTS, 'find', 'find', 'confirm', 'confirm'),
      who: fc.nat(11),
      node: fc.nat(1),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('round'), ms: fc.constantFrom(1, 1_000, 3_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('lose entry'),
      key,
      pick: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose key'), key }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'keep' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'go back' }) },
);

/** Runs random steps with losses between them, then rounds without any, and asserts that all is repaired. */
export function lossProperty(redis: Redis, scripts: typeof SCRIPTS) {
  return fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
    const world = await redisWorld(redis, scripts);
    const witness = new Witness(world.store, SITE);
    for (const node of [0, 1, 0, 1]) await witness.arrive(NODES[node]!);
    let goBack: (() => Promise<void>) | null = null;
    for (const one of steps) {
      // Time goes on: the revision follows the clock, and no Redis makes several changes in one microsecond.
      world.advance(1);
      if (one.kind === 'keep') goBack = await takeSnapshot(redis);
      else if (one.kind === 'go back') await goBack?.();
      else await take(one, witness, world, redis);
    }
    for (let n = 0; n < ROUNDS; n++) await round(1_000, witness, world);
    await assertWell(witness, world);
    await assertServed(witness, world);
  });
}

async function round(ms: number, witness: Witness, { store, advance }: World): Promise<void> {
  advance(ms);
  for (const node of NODES) await store.heartbeat(SITE, node);
  await witness.round(NODES[0]!);
}

async function take(step: Step, witness: Witness, world: World, redis: Redis): Promise<void> {
  switch (step.kind) {
    case 'round':
      return round(step.ms, witness, world);
    case 'lose entry':
      return deleteEntry(redis, SITE, step.key, step.pick);
    case 'lose key':
      return deleteKey(redis, SITE, step.key);
    case 'act':
      return act(step, witness);
    case 'keep':
    case 'go back':
      return;
  }
}

async function act({ act, who, node }: Extract<Step, { kind: 'act' }>, witness: Witness): Promise<void> {
  const { visitors } = witness;
  if (act === 'arrive') return visitors.length < 8 ? witness.arrive(NODES[node]!) : undefined;
  const visitor = visitors[who % visitors.length];
  if (visitor === undefined) return;
  if (act === 'return' || !visitor.isHere) return witness.comeBack(visitor, NODES[node]!);
  switch (act) {
    case 'find':
      return witness.find(visitor);
    case 'leave':
      return witness.leave(visitor, false);
    case 'skip':
      return witness.leave(visitor, true);
    case 'block':
      return witness.block(visitor);
    case 'cancel':
      return witness.cancel(visitor);
    case 'confirm':
      return witness.confirm(visitor);
    case 'cut':
      return witness.cut(visitor);
    case 'close':
      return witness.close(visitor);
  }
}

/** Asserts that the store is consistent, and that the nodes' view equals it. */
async function assertWell(witness: Witness, world: World): Promise<void> {
  const state: Inspection = (await world.inspect(SITE))!;
  assertConsistent(state);
  for (const { session, belief, isHere } of witness.visitors) {
    if (!isHere) continue;
    const { sessionId } = session;
    const record = state.sessions[sessionId];
    const seat = belief.seat?.conversationId ?? '';
    if (record?.conversationId !== seat) throw new Error(`${sessionId} is in ${record?.conversationId}, not ${seat}`);
    const isWaiting = Object.hasOwn(state.waits, sessionId);
    if (belief.isWaiting !== isWaiting) throw new Error(`${sessionId} was told to wait: ${belief.isWaiting}`);
  }
}

/** Asserts that every present visitor can leave, search, and is matched. */
async function assertServed(witness: Witness, world: World): Promise<void> {
  for (const visitor of [...witness.visitors]) if (!visitor.isHere) await witness.close(visitor);
  for (const node of [0, 1]) await witness.arrive(NODES[node]!);
  for (const visitor of witness.visitors) await witness.leave(visitor, false);
  for (const visitor of witness.visitors) await witness.find(visitor);
  await round(1_000, witness, world);
  const alone = witness.visitors.filter(({ belief }) => belief.seat === null);
  // Who blocked each other do not meet: the two who came last blocked nobody.
  if (
    alone.some(({ session }) => session.sessionId === witness.visitors.at(-1)!.session.sessionId) &&
    alone.length > 1
  ) {
    throw new Error(`L1 ${alone.map(({ session }) => session.sessionId).join(', ')} are left alone`);
  }
  for (const { belief } of alone) if (!belief.isWaiting) throw new Error('who looked neither waits nor talks');
  for (const visitor of [...witness.visitors]) await witness.close(visitor);
  const left = (await world.inspect(SITE))!;
  expectSame('nothing is left', [...Object.keys(left.sessions), ...Object.keys(left.waits), ...left.placed], []);
  if (left.indexed > 0) throw new Error(`${left.indexed} entries of the index are left`);
}
