import { defineConfig } from 'vitest/config';
import plain from './vitest.config.ts';

/** Tests that start a real PostgreSQL of their own. */
export default defineConfig({
  ...plain,
  test: {
    ...plain.test,
    include: ['api/**/*.postgres.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
});
