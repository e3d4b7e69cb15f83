import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { SERVICE_BUNDLE } from './service-process.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Gives each bundled source its own `import.meta.url`: some read files beside them. */
const ownAddress: Plugin = {
  name: 'own-address',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]api[\\/]src[\\/].*\.ts$/ }, async ({ path: file }) => {
      const text = await readFile(file, 'utf8');
      return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href)), loader: 'ts' };
    }),
};

/**
 * Bundles the service into one file, once for all tests: a process then starts in a third of the time. A file that is
 * there already is replaced atomically: another test run may be starting processes from it.
 */
export default async function bundleService(): Promise<void> {
  const unfinished = `${SERVICE_BUNDLE}.${process.pid}`;
  await build({
    entryPoints: [path.join(root, 'api/src/main.ts')],
    outfile: unfinished,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['passerby-source'],
    plugins: [ownAddress],
    // Packages in CommonJS ask for what Node has by itself.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    external: ['pg-native'],
    logLevel: 'error',
  });
  await rename(unfinished, SERVICE_BUNDLE);
}
