import path from 'node:path';
import { defineConfig } from 'vitest/config';

const conditions = ['passerby-source', 'module', 'node', 'development|production'];

/** The plain tests: Node alone, no browser, no server beside the ones they start themselves. */
export default defineConfig({
  root: path.resolve(import.meta.dirname, '..'),
  // Packages of this workspace are tested from their source. Node tests resolve through `ssr`.
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    environment: 'node',
    include: ['{sdk,widget,api,examples,.config}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.{browser,redis,postgres,deep}.test.ts'],
    passWithNoTests: false,
    allowOnly: !process.env['CI'],
    restoreMocks: true,
    unstubGlobals: true,
    coverage: { include: ['{sdk,api}/src/**/*.ts'], reportsDirectory: 'coverage' },
  },
});
