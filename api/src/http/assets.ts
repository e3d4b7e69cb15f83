import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Middleware } from 'koa';
import { readStaticFiles, staticFiles, type ServedFile } from './static-files.ts';

/** Name of a file with a hash of its content, which never changes. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.js$/;
const YEAR_S = 31_536_000;
/** `max-age` of the loader: a new release reaches all pages within this time. Seconds. */
const ENTRY_MAX_AGE_S = 300;

const IMMUTABLE = `public, max-age=${YEAR_S}, immutable`;

/**
 * Serves the widget's built files, for pages of other origins: readable with CORS (subresource integrity needs it),
 * embeddable anywhere, precompressed. Under `/` they are the current ones; under `/widget/<version>/` those of this
 * version, which never change: another version is not found.
 */
export function widgetFiles(): Middleware {
  const manifest = new URL(import.meta.resolve('@passerby/widget/package.json'));
  const files = readStaticFiles(fileURLToPath(new URL('dist', manifest)));
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const served = new Map<string, ServedFile>();
  for (const [name, file] of files) {
    const cache = HASHED.test(name)
      ? IMMUTABLE
      : `public, max-age=${ENTRY_MAX_AGE_S}, stale-while-revalidate=${YEAR_S}`;
    served.set(`/${name}`, { file, headers: forAnyPage(cache) });
    served.set(`/widget/${version}/${name}`, { file, headers: forAnyPage(IMMUTABLE) });
  }
  return staticFiles(served);
}

const forAnyPage = (cacheControl: string) => ({
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Cache-Control': cacheControl,
});

/**
 * Serves the demo page and its assets. A page is also served under its name without `.html`, and `index.html` under
 * `/`.
 */
export function demoFiles(): Middleware {
  const files = readStaticFiles(fileURLToPath(new URL('../../public', import.meta.url)));
  const served = new Map<string, ServedFile>();
  for (const [name, file] of files) {
    const entry = { file, headers: { 'Cache-Control': 'no-cache' } };
    served.set(`/${name}`, entry);
    if (name.endsWith('.html')) served.set(`/${name.replace(/(^index)?\.html$/, '')}`, entry);
  }
  return staticFiles(served);
}
