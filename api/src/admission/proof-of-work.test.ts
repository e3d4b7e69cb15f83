import type { Challenge } from '@passerby/sdk/protocol';
import { solveChallenge, type Challenge as AltchaChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2';
import { describe, expect, test } from 'vitest';
import { Metrics } from '../observability/metrics.ts';
import {
  CHALLENGE_MS,
  counterFor,
  ProofOfWork,
  proofValidUntil,
  type ProofState,
  PROVEN_MS,
  TRIES_MAX,
} from './proof-of-work.ts';

const newState = (): ProofState => ({ challenge: null, provenAt: null });

/** Proof of work, and the states of two sessions. */
function proofs() {
  let now = Date.now();
  const metrics = new Metrics();
  const proof = new ProofOfWork(Date.now, () => now, metrics);
  const [A, B] = [newState(), newState()];
  return { proof, metrics, A, B, now: () => now, pass: (ms: number) => void (now += ms) };
}

const packed = (challenge: Challenge, solution: unknown) => btoa(JSON.stringify({ challenge, solution }));

const asAltcha = (challenge: Challenge) => challenge as unknown as AltchaChallenge;

/** Solves a challenge as a browser does. */
async function solved(challenge: Challenge): Promise<string> {
  return packed(challenge, await solveChallenge({ challenge: asAltcha(challenge), deriveKey }));
}

const refused = { code: 'proof_needed' };

describe('S18 proof', () => {
  test('is required by the site’s policy: never, always, or under pressure', () => {
    const { proof, A } = proofs();
    expect(() => proof.require(A, 'never', 2)).not.toThrow();
    expect(() => proof.require(A, 'under_pressure', 0)).not.toThrow();
    expect(() => proof.require(A, 'under_pressure', 1)).toThrow(expect.objectContaining(refused));
    expect(() => proof.require(A, 'always', 0)).toThrow(expect.objectContaining(refused));
  });

  test('is given by the solution, and valid for that session only', async () => {
    const { proof, metrics, A, B } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    expect(await proof.prove(A, await solved(challenge))).toEqual({ status: 'proven' });
    expect(() => proof.require(A, 'always', 2)).not.toThrow();
    expect(() => proof.require(B, 'always', 2)).toThrow(expect.objectContaining(refused));
    expect(metrics.countOf('passerby_incidents_total', { kind: 'proof_given' })).toBe(1);
  });

  test('stays valid while the session searches now and then', async () => {
    const { proof, pass, now, A } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    await proof.prove(A, await solved(challenge));
    for (let count = 0; count < 3; count++) {
      pass(PROVEN_MS - 1);
      proof.require(A, 'always', 0);
    }
    pass(PROVEN_MS);
    expect(() => proof.require(A, 'always', 0)).toThrow(expect.objectContaining(refused));
    expect(proofValidUntil(A)).toBeLessThanOrEqual(now());
  });
});

describe('refuses a solution', () => {
  test('that is wrong, and voids its challenge', async () => {
    const { proof, A } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    const right = await solved(challenge);
    await expect(proof.prove(A, packed(challenge, { counter: 7, derivedKey: '00'.repeat(32) }))).rejects.toMatchObject(
      refused,
    );
    await expect(proof.prove(A, right)).rejects.toMatchObject(refused);
  });

  test('that was submitted before', async () => {
    const { proof, A } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    const solution = await solved(challenge);
    await proof.prove(A, solution);
    await expect(proof.prove(A, solution)).rejects.toMatchObject(refused);
  });

  test('that is submitted twice at once: one of the two', async () => {
    const { proof, A } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    const solution = await solved(challenge);
    const outcomes = await Promise.allSettled([proof.prove(A, solution), proof.prove(A, solution)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('of another session’s challenge', async () => {
    const { proof, A, B } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    await proof.challenge(B, 0);
    await expect(proof.prove(B, await solved(challenge))).rejects.toMatchObject(refused);
  });

  test('of a challenge that was replaced', async () => {
    const { proof, A } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    await proof.challenge(A, 0);
    await expect(proof.prove(A, await solved(challenge))).rejects.toMatchObject(refused);
  });

  test('that comes too late', async () => {
    const { proof, pass, A } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    const solution = await solved(challenge);
    pass(CHALLENGE_MS);
    await expect(proof.prove(A, solution)).rejects.toMatchObject(refused);
  });

  test('of a simplified or forged challenge', async () => {
    const { proof, A } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    const easy = { ...challenge, parameters: { ...challenge.parameters, cost: 1, keyPrefix: '00' } };
    await expect(proof.prove(A, await solved(easy))).rejects.toMatchObject(refused);
    const own = { parameters: { ...easy.parameters }, signature: 'ff'.repeat(32) };
    await proof.challenge(A, 0);
    await expect(proof.prove(A, await solved(own))).rejects.toMatchObject(refused);
  });

  test.each([
    ['no base64', '%%%'],
    ['no JSON', btoa('{')],
    ['no payload', btoa('null')],
    ['a counter that is a word', btoa(JSON.stringify({ solution: { counter: '1', derivedKey: '00' } }))],
  ])('as a bad request that is %s', async (_, solution) => {
    const { proof, A } = proofs();
    await expect(proof.prove(A, solution)).rejects.toMatchObject({ code: 'bad_request' });
  });
});

test('a challenge contains its expiry', async () => {
  const { proof, A } = proofs();
  const { challenge } = await proof.challenge(A, 0);
  const secondsLeft = Number(challenge.parameters['expiresAt']) - Date.now() / 1_000;
  expect(Math.round(secondsLeft / 60)).toBe(5);
});

test('an unsolved challenge is kept until it is no longer valid', async () => {
  const { proof, now, A } = proofs();
  expect(proofValidUntil(A)).toBe(-Infinity);
  await proof.challenge(A, 0);
  expect(proofValidUntil(A)).toBe(now() + CHALLENGE_MS);
});

describe('S30 work of a proof', () => {
  const SAMPLES = 20_000;
  const levels = [0, 1, 2] as const;

  test.each(levels)('is not less from any other starting point than 0, at level %i', (level) => {
    const max = TRIES_MAX[level];
    const counters = Array.from({ length: SAMPLES }, () => counterFor(level));
    /**
     * Returns the mean derivations per solution for a client that begins at `start` and tries all further counters of a
     * challenge.
     */
    const workFrom = (start: number) => {
      const solved = counters.filter((counter) => counter >= start);
      const tries = solved.reduce((sum, counter) => sum + counter - start + 1, 0);
      return (tries + (SAMPLES - solved.length) * (max - start)) / solved.length;
    };
    /** Returns the mean derivations per solution for a client that begins at 0 and gives up at `end`. */
    const workUpTo = (end: number) => {
      const solved = counters.filter((counter) => counter < end);
      const tries = solved.reduce((sum, counter) => sum + counter + 1, 0);
      return (tries + (SAMPLES - solved.length) * end) / solved.length;
    };
    const honest = workFrom(0);
    for (const share of [0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9]) {
      // What is left is the chance of the sample.
      expect(workFrom(Math.floor(share * max)), `from ${share}`).toBeGreaterThan(honest * 0.95);
      expect(workUpTo(Math.floor(share * max)), `up to ${share}`).toBeGreaterThan(honest * 0.95);
    }
  });

  test('is 300 derivations on average, then twice and four times that', () => {
    const means = levels.map((level) => {
      const counters = Array.from({ length: SAMPLES }, () => counterFor(level));
      return counters.reduce((sum, counter) => sum + counter, 0) / SAMPLES;
    });
    for (const [level, mean] of means.entries()) expect(mean / (300 * 2 ** level)).toBeCloseTo(1, 1);
  });

  test('is found from 0 up, below the maximum number of tries', async () => {
    const { proof, A } = proofs();
    const { challenge } = await proof.challenge(A, 0);
    const solution = await solveChallenge({ challenge: asAltcha(challenge), deriveKey, counterStart: 0 });
    expect(solution!.counter).toBeGreaterThanOrEqual(0);
    expect(solution!.counter).toBeLessThan(TRIES_MAX[0]);
    expect(await proof.prove(A, packed(challenge, solution))).toEqual({ status: 'proven' });
  });
});
