// What a visitor has to download, in kB after brotli at its best, against what we allow ourselves.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './run.js';

/** @param {Uint8Array} bytes */
function brotliBytes(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return brotliCompressSync(bytes, { params }).length;
}

const widgetDist = path.join(root, 'widget/dist');
/** @param {string} name */
const widgetFile = async (name) => brotliBytes(await readFile(path.join(widgetDist, name)));

/** Recognises a chunk that is loaded on demand, which few visitors ever need, by the hash in its name. */
const isOnDemand = (/** @type {string} */ name) => /-[A-Za-z0-9_-]{8}\.js$/.test(name);

/** Size of every script but those loaded on demand: opening the panel waits for no other. */
async function wholeWidget() {
  const scripts = (await readdir(widgetDist)).filter((name) => name.endsWith('.js') && !isOnDemand(name));
  const sizes = await Promise.all(scripts.map(widgetFile));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

async function bundledSdk() {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '@passerby/sdk';`, resolveDir: path.join(root, 'widget') },
    bundle: true,
    // What is imported on demand (solving a proof of work) is a file of its own in any bundler.
    splitting: true,
    outdir: 'out',
    // By themselves they have a hash, which weighs more or less from one change to another.
    chunkNames: '[name]',
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    legalComments: 'none',
  });
  const entry = outputFiles.find((file) => path.basename(file.path) === 'stdin.js');
  return brotliBytes(entry?.contents ?? new Uint8Array());
}

// `allowed` keeps what was reached from growing back; `goal` is where it is to go. See docs/decisions.
const rows = [
  { what: 'loader (widget.js)', bytes: await widgetFile('widget.js'), allowed: 1540, goal: 800 },
  { what: 'everything until a first message', bytes: await wholeWidget(), allowed: 52_600, goal: 32_000 },
  { what: 'SDK with engine.io-client', bytes: await bundledSdk(), allowed: 21_900, goal: 14_000 },
];

const kilobytes = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(2).padStart(6);
for (const { what, bytes, allowed, goal } of rows) {
  const verdict = bytes > allowed ? '✗ grew' : bytes > goal ? 'above the goal' : 'reached';
  console.log(
    `${what.padEnd(34)} ${kilobytes(bytes)} kB, allowed ${kilobytes(allowed)}, goal ${kilobytes(goal)}: ${verdict}`,
  );
}
process.exit(rows.every(({ bytes, allowed }) => bytes <= allowed) ? 0 : 1);
