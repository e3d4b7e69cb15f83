import fc from 'fast-check';
import { COMMANDS, populate, round } from './commands.ts';
import { compare } from './compare.ts';
import { hold, Ledger } from './ledger.ts';
import { RULES, SITES, type World } from './world.ts';

/** Profile: `PASSERBY_DEEP=1` is the nightly one. */
const RUNS = process.env['PASSERBY_DEEP'] === '1' ? 2_000 : 150;
const STEPS_MAX = 40;

export interface Run {
  readonly runs?: number;
  readonly seed?: number;
}

/** Seed: that of a failed run is printed with it; `PASSERBY_SEED` reproduces it. */
function seedFromEnv(): { seed?: number } {
  const seed = process.env['PASSERBY_SEED'];
  return seed === undefined ? {} : { seed: Number(seed) };
}

/** Runs: random steps, each compared with the ledger; then all settles, and everybody leaves. */
export function storeProperty(create: (areRepliesLost: boolean) => Promise<World>) {
  return fc.asyncProperty(
    fc.constantFrom(...(Object.keys(RULES) as (keyof typeof RULES)[])),
    fc.boolean(),
    fc.commands([...COMMANDS], { maxCommands: STEPS_MAX, size: 'max' }),
    async (rules, areRepliesLost, steps) => {
      const world = await create(areRepliesLost);
      const ledger = new Ledger(RULES[rules], world.now, world.hasLeases);
      await populate(ledger, world);
      await fc.asyncModelRun(() => ({ model: ledger, real: world }), steps);
      await comeToRest(ledger, world);
      await goHome(ledger, world);
    },
  );
}

/** Checks the property; throws with seed, path and the shortest failing steps. */
export async function assertModel(
  create: (areRepliesLost: boolean) => Promise<World>,
  { runs = RUNS, seed }: Run = {},
): Promise<void> {
  await fc.assert(storeProperty(create), { numRuns: runs, ...(seed === undefined ? seedFromEnv() : { seed }) });
}

/** Returns the failure of the first failing run, without shrinking; `null` if all hold. */
export async function firstFailure(
  create: (areRepliesLost: boolean) => Promise<World>,
  { runs = RUNS, seed }: Run,
): Promise<Error | null> {
  const { errorInstance } = await fc.check(storeProperty(create), {
    numRuns: runs,
    endOnFailure: true,
    ...(seed !== undefined && { seed }),
  });
  return errorInstance as Error | null;
}

/** Confirms all matches, then passes the time until every step is due and every pending match has lapsed. */
async function comeToRest(ledger: Ledger, world: World): Promise<void> {
  const { expansions, confirmMs } = ledger.rules;
  const restMs = expansions.at(-1)!.afterMs + 2 * confirmMs;
  for (const visitor of ledger.visitors) {
    if (!visitor.isOpen || visitor.awaySince !== null || visitor.talk === null) continue;
    await world.store.confirm(ledger.refOf(visitor), visitor.talk.id);
    ledger.confirms(visitor);
  }
  for (let passed = 0; passed <= restMs; passed += confirmMs) {
    world.advance(confirmMs);
    await round(ledger, world, ledger.sweeper.get(SITES[0]!));
  }
  await compare(ledger, world);
  const waiting = ledger.visitors.filter((visitor) => ledger.isFindable(visitor));
  for (const [n, a] of waiting.entries()) {
    for (const b of waiting.slice(n + 1)) {
      hold('L1', !ledger.mayMeet(a, b), () => `${a.sessionId} and ${b.sessionId} wait`);
    }
  }
}

/** Closes the remaining sessions; then nothing is held any more. */
async function goHome(ledger: Ledger, world: World): Promise<void> {
  for (const visitor of ledger.visitors) {
    const isTalking = visitor.talk !== null;
    const { notices } = await world.store.close(ledger.refOf(visitor));
    if (isTalking) ledger.read(notices, { by: visitor, ends: 'left' });
    ledger.closes(visitor);
  }
  await compare(ledger, world);
}
