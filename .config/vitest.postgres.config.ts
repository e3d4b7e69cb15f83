import { defineConfig } from 'vitest/config';
import plain from './vitest.config.ts';

/** The tests that ask a real PostgreSQL, which they start. */
export default defineConfig({
  ...plain,
  test: {
    ...plain.test,
    include: ['api/**/*.postgres.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
});
