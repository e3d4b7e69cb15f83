import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Agreed, needsAgreement } from '../src/index.ts';
import { NOTHING_AGREED, POLICY, refusal, settle, stage, type Stage } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const rules = { version: '2', text: 'Be kind.' };
const policy = { ...POLICY, rules, ageBands: ['under 18', '18 and over'] };
const all = { rules: '2', ageBand: '18 and over' };

const ready = (scene: Stage, agreed: Agreed = NOTHING_AGREED): void => {
  scene.line.ready({ status: 'idle' }, undefined, { policy, agreed });
};
const told = (scene: Stage): unknown[] =>
  scene.line.log.filter(({ name }) => name === 'session:agree').map(({ payload }) => payload as unknown);

async function connected(): Promise<Stage> {
  const scene = stage();
  const up = scene.chat.connect();
  ready(scene);
  await up;
  return scene;
}

async function agreed(): Promise<Stage> {
  const scene = await connected();
  const done = scene.chat.agree(all);
  await scene.line.answer('session:agree', { status: 'agreed' });
  await done;
  return scene;
}

describe('needsAgreement', () => {
  test('is empty before the policy is known', () => {
    expect(needsAgreement({ policy: null, agreed: null })).toEqual({ rules: null, ageBands: [] });
  });

  test('contains what the site requires and this visitor has not given', () => {
    expect(needsAgreement({ policy, agreed: NOTHING_AGREED })).toEqual({ rules, ageBands: policy.ageBands });
    expect(needsAgreement({ policy, agreed: { rules: '2', ageBand: null } })).toEqual({
      rules: null,
      ageBands: policy.ageBands,
    });
    expect(needsAgreement({ policy, agreed: all })).toEqual({ rules: null, ageBands: [] });
  });

  test('contains the rules again once their version changed', () => {
    expect(needsAgreement({ policy, agreed: { ...all, rules: '1' } }).rules).toEqual(rules);
  });
});

describe('find', () => {
  test('rejects while something is missing, without a request to the service', async () => {
    const scene = await connected();
    expect(await refusal(scene.chat.find())).toMatchObject({ code: 'agreement_needed' });
    expect(scene.status()).toBe('idle');
    expect(scene.line.pending).toEqual([]);
  });

  test('called right after agree, is sent once the service has confirmed it', async () => {
    const scene = await connected();
    const done = scene.chat.agree(all);
    const found = scene.chat.find();
    expect(scene.line.pending).toEqual(['session:agree']);
    await scene.line.answer('session:agree', { status: 'agreed' });
    await done;
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
    expect(scene.status()).toBe('waiting');
  });

  test('can be cancelled while the agreement is pending', async () => {
    const scene = await connected();
    const done = refusal(scene.chat.agree(all));
    const found = refusal(scene.chat.find());
    expect(await scene.chat.cancel()).toBe('cancelled');
    expect(await found).toMatchObject({ code: 'aborted' });
    await scene.line.refuse('session:agree', { code: 'bad_request' });
    expect(await done).toMatchObject({ code: 'bad_request' });
    expect(scene.line.pending).toEqual([]);
  });
});

describe('agree', () => {
  test('appears in the snapshot once the service has confirmed it', async () => {
    const scene = await connected();
    const done = scene.chat.agree({ rules: '2' });
    expect(scene.chat.snapshot().agreed).toEqual(NOTHING_AGREED);
    await scene.line.answer('session:agree', { status: 'agreed' });
    await done;
    expect(scene.chat.snapshot().agreed).toEqual({ rules: '2', ageBand: null });
  });

  test('connects if necessary', async () => {
    const scene = stage();
    const done = scene.chat.agree(all);
    await settle();
    ready(scene);
    await scene.line.answer('session:agree', { status: 'agreed' });
    await done;
    expect(scene.chat.snapshot().agreed).toEqual(all);
  });

  test('refuses another age band than before, without an effect', async () => {
    const scene = await agreed();
    const done = refusal(scene.chat.agree({ ageBand: 'under 18' }));
    await scene.line.refuse('session:agree', { code: 'age_band_fixed' });
    expect(await done).toMatchObject({ code: 'age_band_fixed' });
    expect(scene.chat.snapshot().agreed).toEqual(all);
  });

  test('pending when the connection is lost, is sent again on the next one', async () => {
    const scene = await connected();
    const done = scene.chat.agree(all);
    scene.line.lose();
    await settle(1_000);
    ready(scene);
    await scene.line.answer('session:agree', { status: 'agreed' });
    await done;
    expect(scene.lines).toHaveLength(2);
    expect(told(scene)).toEqual([all]);
  });

  test('never answered on a live connection, is given up', async () => {
    const scene = await connected();
    const done = refusal(scene.chat.agree(all));
    await settle(60_000);
    expect(await done).toMatchObject({ code: 'timeout' });
  });

  test('is rejected when the chat is closed', async () => {
    const scene = await connected();
    const done = refusal(scene.chat.agree(all));
    void scene.chat.close();
    expect(await done).toMatchObject({ code: 'closed' });
  });
});

describe('new session without the former consent', () => {
  test('gets the same consent again before the search, without asking the visitor', async () => {
    const scene = await agreed();
    scene.line.lose();
    await settle(1_000);
    ready(scene);
    expect(scene.chat.snapshot().agreed).toEqual(all);
    const found = scene.chat.find();
    expect(scene.line.pending).toEqual(['session:agree']);
    expect(told(scene)).toEqual([all]);
    await scene.line.answer('session:agree', { status: 'agreed' });
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
  });

  test('gets no consent to changed rules: the visitor is asked again', async () => {
    const scene = await agreed();
    scene.line.lose();
    await settle(1_000);
    const changed = { ...policy, rules: { version: '3', text: 'Be kinder.' } };
    scene.line.ready({ status: 'idle' }, false, { policy: changed });
    expect(told(scene)).toEqual([{ ageBand: '18 and over' }]);
    expect(needsAgreement(scene.chat.snapshot())).toEqual({ rules: changed.rules, ageBands: [] });
  });

  test('makes the visitor be asked again if it refuses the consent', async () => {
    const scene = await agreed();
    scene.line.lose();
    await settle(1_000);
    ready(scene);
    await scene.line.refuse('session:agree', { code: 'internal' });
    expect(scene.chat.snapshot().agreed).toEqual(NOTHING_AGREED);
  });

  test('gets nothing if it already has the consent', async () => {
    const scene = await agreed();
    scene.line.lose();
    await settle(1_000);
    ready(scene, all);
    expect(scene.line.pending).toEqual([]);
  });
});
