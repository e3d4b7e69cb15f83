import { availableParallelism } from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { SlowTestsFirst } from './slow-tests-first.ts';

const conditions = ['passerby-source', 'module', 'node', 'development|production'];

/** Plain tests: Node alone, no browser, no server beside the ones they start themselves. */
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
    globalSetup: [path.join(import.meta.dirname, 'test/bundle-service.ts')],
    // Each worker loads the service once, which is a third of the work; no test may leave anything behind for another file.
    isolate: false,
    // Patience, for a slow machine: no test says how fast anything is by how long it waits.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    // By itself Vitest leaves a core to itself, which is half of a machine with two, and many tests wait most of the time.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: SlowTestsFirst },
    allowOnly: !process.env['CI'],
    restoreMocks: true,
    unstubGlobals: true,
    coverage: { include: ['{sdk,api}/src/**/*.ts'], reportsDirectory: 'coverage' },
  },
});
