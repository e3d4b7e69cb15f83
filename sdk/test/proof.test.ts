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
  test('gives what the library of the service accepts', async () => {
    expect(await isRight((await solveChallenge(await challenge(), new AbortController()))!)).toBe(true);
  });

  test('ends with nothing once it is stopped', async () => {
    const stop = new AbortController();
    const solved = solveChallenge(await challenge('0'.repeat(40)), stop);
    setTimeout(() => stop.abort(), 20);
    expect(await solved).toBeNull();
  });
});

describe('a search that needs a proof', () => {
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

  test('computes one, hands it in and asks again, and the visitor just waits', async () => {
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

  test('can be cancelled meanwhile: nothing is handed in', async () => {
    const scene = await challenged();
    await scene.line.answer('session:challenge', { challenge: await challenge('0'.repeat(40)) });
    expect(await scene.chat.cancel()).toBe('cancelled');
    expect(scene.status()).toBe('idle');
    expect(await refusal(scene.found)).toMatchObject({ code: 'aborted' });
    await settle(1_000);
    expect(scene.line.pending).toEqual([]);
  });

  test('that is changed meanwhile is asked for as it is then', async () => {
    const scene = await challenged();
    const second = scene.chat.find({ topic: 'coffee' });
    await scene.line.answer('session:challenge', { challenge: await challenge() });
    await computed(scene);
    await scene.line.answer('session:prove', { status: 'proven' });
    expect(scene.line.log.at(-1)).toMatchObject({ name: 'match:find', payload: { topic: 'coffee' } });
    await scene.line.answer('match:find', { status: 'waiting' });
    await second;
  });

  test('is given up after three proofs that did not help', async () => {
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

  test('whose line is lost while it is computed is asked for again on the next one', async () => {
    const scene = await challenged();
    scene.line.lose();
    await settle(1_000);
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    await scene.found;
    expect(scene.status()).toBe('waiting');
  });

  test('ends with the refusal of a challenge', async () => {
    const scene = await challenged();
    await scene.line.refuse('session:challenge', { code: 'rate_limited', retryAfterMs: 7_000 });
    expect(await refusal(scene.found)).toMatchObject({ code: 'rate_limited', retryAfterMs: 7_000 });
    expect(scene.status()).toBe('idle');
  });

  test('is refused clearly where the page cannot compute', async () => {
    vi.stubGlobal('crypto', {});
    const { found, status } = await challenged();
    vi.unstubAllGlobals();
    expect(await refusal(found)).toMatchObject({
      code: 'proof_needed',
      message: expect.stringContaining('https') as string,
    });
    expect(status()).toBe('idle');
  });

  test('as part of a skip leaves first, then proves', async () => {
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

test('a skip of somebody who was banned leaves the conversation, and does not ask again', async () => {
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
