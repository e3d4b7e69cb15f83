import { defineConfig } from 'vitest/config';
import plain from './vitest.config.ts';

process.env['PASSERBY_DEEP'] = '1';

/** Tests that take minutes: the model suites with many runs, and the check of the checks. */
export default defineConfig({
  ...plain,
  test: {
    ...plain.test,
    include: ['{api,widget}/**/*.deep.test.ts', 'api/test/model/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 600_000,
    // One after another: each starts a Redis and keeps a core busy.
    fileParallelism: false,
  },
});
