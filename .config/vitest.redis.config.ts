import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import plain from './vitest.config.ts';

/** Tests that start a Redis of their own. */
export default defineConfig({
  ...plain,
  test: {
    ...plain.test,
    // They wait for Redis and for visitors more than they compute.
    maxWorkers: Math.max(4, availableParallelism()),
    include: ['{api,examples}/**/*.redis.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.deep.test.ts'],
  },
});
