import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { dts } from 'rollup-plugin-dts';
import esbuild from 'rollup-plugin-esbuild';
import svelte from 'rollup-plugin-svelte';
import { cssString } from './rollup/css-string.js';
import { chunkIntegrity, entryIntegrity } from './rollup/integrity.js';
import { leaveOutUnused } from './rollup/leave-out.js';
import { nativeLists } from './rollup/native-lists.js';
import { precompress } from './rollup/precompress.js';

// Constructed style sheets in Safari come with 16.4; private fields and `static {}` are older.
const target = 'es2022';
// Without its own resolving, which comes before node-resolve's and knows nothing of the `browser` field.
const script = () => ({ ...esbuild({ target, tsconfig: false, include: /\.ts$/ }), resolveId: undefined });
/**
 * Private properties of Engine.IO and Svelte, by their convention or by their declarations. All code that uses them is
 * in one chunk.
 */
const PRIVATE =
  /^(_[a-z].*|emitReserved|(set|clear)TimeoutFn|writeBuffer|priorWebsocketSuccess|reactions|outrogroups|teardown)$/i;
const small = () =>
  terser({
    ecma: 2020,
    module: true,
    compress: { passes: 3, unsafe: true, unsafe_arrows: true, sequences: false, keep_fargs: false },
    mangle: { properties: { regex: PRIVATE } },
    format: { comments: false },
  });

// Svelte's own modules import each other in circles, which is its affair.
/** @type {import('rollup').RollupOptions['onwarn']} */
const onwarn = (warning, warn) => {
  if (warning.code !== 'CIRCULAR_DEPENDENCY' || !warning.ids?.every((id) => id.includes('node_modules'))) warn(warning);
};

// Chunks of former builds have other names, and would stay. The folder itself stays: `npm run dev` watches it.
const dist = path.join(import.meta.dirname, 'dist');
mkdirSync(dist, { recursive: true });
for (const name of readdirSync(dist)) rmSync(path.join(dist, name), { recursive: true });

/** @type {import('rollup').RollupOptions[]} */
export default [
  {
    input: 'src/index.ts',
    output: {
      dir: 'dist',
      entryFileNames: 'passerby-chat.js',
      // A name that changes with the content: such files are kept for a year.
      chunkFileNames: '[name]-[hash].js',
      format: 'es',
    },
    // What is loaded on demand takes what it shares straight from this file.
    preserveEntrySignatures: 'allow-extension',
    onwarn,
    plugins: [
      resolve({
        browser: true,
        extensions: ['.ts', '.js', '.mjs'],
        exportConditions: ['passerby-source', 'svelte', 'browser', 'production'],
        dedupe: ['svelte'],
      }),
      leaveOutUnused(),
      nativeLists(),
      script(),
      svelte({
        compilerOptions: {
          // Elements are built one by one, without a template's HTML: this needs no Trusted Types policy.
          fragments: 'tree',
          runes: true,
          discloseVersion: false,
          cssHash: ({ hash, filename }) => `p${hash(filename).slice(0, 3)}`,
        },
      }),
      cssString(),
      small(),
      chunkIntegrity(),
      precompress(),
    ],
  },
  // After it: it knows the hash of what it loads.
  {
    input: 'src/loader.ts',
    output: { file: 'dist/widget.js', format: 'iife' },
    plugins: [script(), cssString(), small(), entryIntegrity('dist/passerby-chat.js'), precompress()],
  },
  {
    input: 'src/index.ts',
    output: { file: 'dist/index.d.ts', format: 'es' },
    // The SDK's code is in the bundle, its types are not: a chat of the page's own is of the very same type.
    external: [/\.css$/, '@passerby/sdk'],
    plugins: [dts({ tsconfig: './tsconfig.json' })],
  },
];
