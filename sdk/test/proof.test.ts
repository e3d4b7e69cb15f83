import { createChallenge, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/sha';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Challenge, ConversationId } from '../src/protocol/index.ts';
import { solveChallenge } from '../src/commands/solve-challenge.ts';
import { refusal, settle, stage, staged, type Stage } from './client-fixture.ts';

const secret = 'of the service';

/** Each further digit of `keyPrefix` takes sixteen times as long. */
async function challenge(keyPrefix = '0'): Promise<Challenge> {
  const made = await createChallenge({
    algorithm: 'SHA-256',
    cost: 1,
    deriveKey,
    keyPrefix,
    hmacSignatureSecret: secret,
  });
  return made as unknown as Challenge;
}

async function isRight(payload: string): Promise<boolean> {
  const { challenge: handed, solution } = JSON.parse(atob(payload)) as never;
  const { verified } = await verifySolution({ challenge: handed, solution, deriveKey, hmacSignatureSecret: secret });
  return verified;
}

describe('solving', () => {
  test("finds a solution that the service's library accepts", async () => {
    expect(await isRight((await solveChallenge(await challenge(), new AbortController()))!)).toBe(true);
  });

  test('ends without a solution once it is stopped', async () => {
    const stop = new AbortController();
    const solved = solveChallenge(await challenge('0'.repeat(40)), stop);
    setTimeout(() => stop.abort(), 20);
    expect(await solved).toBeNull();
  });
});

describe('search that needs a proof', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Client that needs a proof, and its pending challenge. */
  async function challenged(): Promise<Stage & { found: Promise<unknown> }> {
    const scene = stage();
    const found = scene.chat.find({ topic: 'tea' });
    found.catch(() => undefined);
    scene.line.ready();
    await scene.line.refuse('match:find', { code: 'proof_needed' });
    return Object.assign(scene, { found });
  }
  const computed = (scene: Stage): Promise<void> =>
    vi.waitUntil(() => scene.line.pending.includes('session:prove'), { timeout: 60_000 }).then(() => undefined);

  test('solves the challenge, submits the solution and searches again, while the visitor waits', async () => {
    const scene = await challenged();
    await scene.line.answer('session:challenge', { challenge: await challenge() });
    await computed(scene);
    expect(scene.status()).toBe('waiting');
    const handed = scene.line.log.at(-1)!.payload as { solution: string };
    expect(await isRight(handed.solution)).toBe(true);
    await scene.line.answer('session:prove', { status: 'proven' });
    await scene.line.answer('match:find', { status: 'waiting' });
    await scene.found;
    expect(scene.line.log.map(({ name }) => name)).toEqual([
      'match:find',
      'session:challenge',
      'session:prove',
      'match:find',
    ]);
  });

  test('can be cancelled meanwhile, without a submission', async () => {
    const scene = await challenged();
    await scene.line.answer('session:challenge', { challenge: await challenge('0'.repeat(40)) });
    expect(await scene.chat.cancel()).toBe('cancelled');
    expect(scene.status()).toBe('idle');
    expect(await refusal(scene.found)).toMatchObject({ code: 'aborted' });
    await settle(1_000);
    expect(scene.line.pending).toEqual([]);
  });

  test('is asked for once by a listener that searches again as soon as it is cancelled', async () => {
    const scene = await challenged();
    const off = scene.chat.subscribe(({ state }) => {
      if (state.status !== 'idle') return;
      off();
      void scene.chat.find({ topic: 'coffee' });
    });
    expect(await scene.chat.cancel()).toBe('cancelled');
    expect(scene.line.pending.filter((name) => name === 'match:find')).toEqual(['match:find']);
    expect(scene.line.log.at(-1)).toMatchObject({ name: 'match:find', payload: { topic: 'coffee' } });
  });

  test('is repeated with its latest criteria', async () => {
    const scene = await challenged();
    const second = scene.chat.find({ topic: 'coffee' });
    await scene.line.answer('session:challenge', { challenge: await challenge() });
    await computed(scene);
    await scene.line.answer('session:prove', { status: 'proven' });
    expect(scene.line.log.at(-1)).toMatchObject({ name: 'match:find', payload: { topic: 'coffee' } });
    await scene.line.answer('match:find', { status: 'waiting' });
    await second;
  });

  test('is given up after three proofs that were not enough', async () => {
    const scene = await challenged();
    for (let proof = 1; proof <= 3; proof += 1) {
      await scene.line.answer('session:challenge', { challenge: await challenge() });
      await computed(scene);
      await scene.line.refuse('session:prove', { code: 'proof_needed' });
      await scene.line.refuse('match:find', { code: 'proof_needed' });
    }
    expect(await refusal(scene.found)).toMatchObject({ code: 'proof_needed' });
    expect(scene.status()).toBe('idle');
  });

  test('is repeated on the next connection if the present one is lost meanwhile', async () => {
    const scene = await challenged();
    scene.line.lose();
    await settle(1_000);
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    await scene.found;
    expect(scene.status()).toBe('waiting');
  });

  test('rejects with the refusal of a challenge', async () => {
    const scene = await challenged();
    await scene.line.refuse('session:challenge', { code: 'rate_limited', retryAfterMs: 7_000 });
    expect(await refusal(scene.found)).toMatchObject({ code: 'rate_limited', retryAfterMs: 7_000 });
    expect(scene.status()).toBe('idle');
  });

  test('rejects with a clear error if the page cannot compute', async () => {
    vi.stubGlobal('crypto', {});
    const { found, status } = await challenged();
    vi.unstubAllGlobals();
    expect(await refusal(found)).toMatchObject({
      code: 'proof_needed',
      message: expect.stringContaining('https') as string,
    });
    expect(status()).toBe('idle');
  });

  test('leaves first, then proves, as part of a skip', async () => {
    const scene = await staged();
    const skipped = scene.chat.skip();
    await scene.line.refuse('conversation:leave', { code: 'proof_needed' });
    expect(scene.status()).toBe('waiting');
    expect(scene.line.pending).toEqual(['session:challenge', 'conversation:leave']);
    await scene.line.answer('session:challenge', { challenge: await challenge() });
    expect(scene.line.log.at(-1)!.payload).toEqual({ conversationId: 'c1' as ConversationId });
    await scene.line.answer('conversation:leave', { status: 'left', next: null });
    await computed(scene);
    await scene.line.answer('session:prove', { status: 'proven' });
    await scene.line.answer('match:find', { status: 'waiting' });
    await skipped;
  });
});

test('leaves the conversation without another search if a banned visitor skips', async () => {
  vi.useFakeTimers();
  const scene = await staged();
  const skipped = refusal(scene.chat.skip());
  await scene.line.refuse('conversation:leave', { code: 'banned', retryAfterMs: 3_600_000 });
  expect(await skipped).toMatchObject({ code: 'banned', retryAfterMs: 3_600_000 });
  await scene.line.answer('conversation:leave', { status: 'left', next: null });
  await settle(10_000);
  expect(scene.line.pending).toEqual([]);
  expect(scene.status()).toBe('idle');
  vi.useRealTimers();
});
