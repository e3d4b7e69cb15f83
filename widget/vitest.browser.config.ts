import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { headlessShell } from '../.config/chromium.js';

/** The widget as it is built (`npm run build` first), in the browser of the operating system. */
export default defineConfig({
  root: import.meta.dirname,
  // The loader is a script tag's own file: served as it is, at `/widget.js`.
  publicDir: 'dist',
  resolve: { conditions: ['passerby-source', 'browser', 'module', 'import', 'default'] },
  optimizeDeps: { include: ['axe-core', 'engine.io-client'] },
  test: {
    include: ['{src,test}/**/*.browser.test.ts'],
    // Patience, for a slow machine.
    testTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    // By itself Vitest opens one page at a time on a machine with two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    allowOnly: !process.env['CI'],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      viewport: { width: 1280, height: 800 },
      provider: playwright({ launchOptions: headlessShell }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
