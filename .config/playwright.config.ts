import path from 'node:path';
import { defineConfig } from '@playwright/test';
import { headlessShell } from './chromium.js';

const root = path.resolve(import.meta.dirname, '..');

/** Browser tests against the real service, each test file with servers of its own. */
export default defineConfig({
  testDir: path.join(root, 'widget/test/e2e'),
  outputDir: path.join(root, 'test-results/e2e'),
  reporter: 'list',
  // They wait for each other half of the time.
  workers: 3,
  retries: 0,
  // Patience, for a slow machine.
  timeout: 300_000,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env['CI']),
  use: {
    launchOptions: headlessShell,
    // What moves is drawn by the processor, for every page, all the time.
    contextOptions: { reducedMotion: 'reduce' },
    screenshot: 'only-on-failure',
    // A trace films every page, which takes half of a small machine: ask for one with `--trace on`.
    trace: 'off',
  },
  projects: [
    { name: 'e2e', testIgnore: '**/screenshots.spec.ts', grepInvert: /@deep/ },
    { name: 'deep', grep: /@deep/ },
    {
      name: 'screenshots',
      testMatch: '**/screenshots.spec.ts',
      outputDir: path.join(root, 'test-results/screenshots-run'),
    },
  ],
});
