import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Context, Middleware, Next } from 'koa';
import sirv from 'sirv';

/** Files whose name holds a hash of their content never change. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.js$/;
const YEAR_S = 31_536_000;
/** How long a page may go on with the loader it has: a new release reaches everybody within this. */
const ENTRY_MAX_AGE_S = 300;

const IMMUTABLE = `public, max-age=${YEAR_S}, immutable`;

/**
 * The widget's built files, for pages of other origins: readable with CORS (subresource integrity needs
 * it), embeddable anywhere, precompressed. Under `/` they are the current ones; under `/widget/<version>/`
 * they are those of this version, which never change: another version is not found.
 */
export function widgetFiles(): Middleware {
  const manifest = new URL(import.meta.resolve('@passerby/widget/package.json'));
  const directory = fileURLToPath(new URL('dist', manifest));
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const home = `/widget/${version}/`;
  const serve = (cacheOf: (path: string) => string): Middleware =>
    staticFiles(directory, (response, path) => {
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
      response.setHeader('Cache-Control', cacheOf(path));
    });
  const current = serve((path) =>
    HASHED.test(path) ? IMMUTABLE : `public, max-age=${ENTRY_MAX_AGE_S}, stale-while-revalidate=${YEAR_S}`,
  );
  const ofVersion = serve(() => IMMUTABLE);
  return async (context, next) => {
    const { url } = context.req;
    if (url?.startsWith(home) !== true) {
      await current(context, next);
      return;
    }
    context.req.url = `/${url.slice(home.length)}`;
    await ofVersion(context, async () => {
      context.req.url = url;
      await next();
    });
  };
}

/** The demo page and what it loads. */
export function demoFiles(): Middleware {
  const directory = fileURLToPath(new URL('../../public', import.meta.url));
  return staticFiles(directory, (response) => response.setHeader('Cache-Control', 'no-cache'));
}

function staticFiles(directory: string, setHeaders: (response: ServerResponse, path: string) => void): Middleware {
  const serve = sirv(directory, { brotli: true, gzip: true, etag: true, extensions: ['html'], setHeaders });
  return async (context: Context, next: Next): Promise<void> => {
    if (context.method !== 'GET' && context.method !== 'HEAD') {
      await next();
      return;
    }
    context.respond = false;
    await new Promise<void>((resolve, reject) => {
      context.res.once('close', resolve);
      serve(context.req, context.res, () => {
        context.respond = true;
        context.res.off('close', resolve);
        Promise.resolve(next()).then(resolve, reject);
      });
    });
  };
}
