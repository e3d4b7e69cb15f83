import { test } from 'vitest';
import { assertModel } from './model.ts';
import { memoryWorld } from './worlds.ts';

test('the memory store keeps I1 I2 I3 I4 I5 I6 I10 I11 I13 L1 under random actions', { timeout: 300_000 }, async () => {
  await assertModel(async () => memoryWorld());
});
