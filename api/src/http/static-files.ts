import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Context, Middleware } from 'koa';
import { Refusal } from '../errors.ts';

/** Content codings that a file may be stored in, smallest first, with the extension of the precompressed form. */
const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/** Maximum length of an `Accept-Encoding` that is read; browsers send about 30 characters. */
const ACCEPT_ENCODING_MAX_CHARS = 256;

/** Extensions of the files that are served; other files of a folder are not. */
const SERVED = new Set(['.css', '.html', '.js', '.json', '.svg']);

/** One form of a file: its bytes in a content coding, and their entity tag. */
interface Representation {
  readonly coding: 'br' | 'gzip' | 'identity';
  readonly body: Buffer;
  readonly etag: string;
}

/** A file in memory, in every form it is stored in, the smallest first. The last one is `identity`. */
export interface StaticFile {
  /** Extension, such as `.js`, which determines the `Content-Type`. */
  readonly ending: string;
  readonly representations: readonly [...Representation[], Representation];
}

/** File to which a request path leads. */
export interface ServedFile {
  readonly file: StaticFile;
  /** Headers of every response with the file, 304 included. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Reads the files of a folder and their precompressed forms, once: later changes of the folder have no effect. Returns
 * them by name. Throws if the folder is missing or empty.
 */
export function readStaticFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const names = new Set(existsSync(folder) ? readdirSync(folder) : []);
  if (names.size === 0) throw new Error(`${folder} holds no files: run "npm run build" first`);
  const files = [...names].filter((name) => SERVED.has(path.extname(name)));
  return new Map(
    files.map((name) => {
      const packed = CODINGS.filter(([, suffix]) => names.has(name + suffix));
      const read = (coding: Representation['coding'], suffix: string): Representation => {
        const body = readFileSync(path.join(folder, name + suffix));
        return { coding, body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
      };
      return [
        name,
        {
          ending: path.extname(name),
          representations: [...packed.map(([coding, suffix]) => read(coding, suffix)), read('identity', '')],
        },
      ];
    }),
  );
}

/**
 * Answers GET and HEAD for these paths from memory, and leaves other paths to the next middleware. Knows content
 * codings and `If-None-Match`; has no ranges, so `Range` is ignored (RFC 9110, 14.2). Refuses `method_not_allowed`.
 */
export function staticFiles(served: ReadonlyMap<string, ServedFile>): Middleware {
  return async (context, next) => {
    const found = served.get(context.path);
    if (found === undefined) {
      await next();
      return;
    }
    if (context.method !== 'GET' && context.method !== 'HEAD') {
      context.set('Allow', 'GET, HEAD');
      throw new Refusal('method_not_allowed');
    }
    const { coding, body, etag } = acceptable(context, found.file);
    context.set(found.headers);
    context.set('Accept-Ranges', 'none');
    context.vary('Accept-Encoding');
    context.etag = etag;
    if (isKnown(etag, context.get('If-None-Match'))) {
      context.status = 304;
      return;
    }
    if (coding !== 'identity') context.set('Content-Encoding', coding);
    context.type = found.file.ending;
    context.body = body;
  };
}

/**
 * Returns the smallest form whose coding the client accepts: a weight above 0 does not matter, since all forms have the
 * same content. If the client accepts none, the identity form (RFC 9110, 15.5.7 allows it in place of a 406).
 */
function acceptable(context: Context, { representations }: StaticFile): Representation {
  const unpacked = representations[representations.length - 1]!;
  // The parser of the header takes 10 ms for one that fills the whole head.
  if (context.get('Accept-Encoding').length > ACCEPT_ENCODING_MAX_CHARS) return unpacked;
  return representations.find(({ coding }) => context.acceptsEncodings(coding) !== false) ?? unpacked;
}

/**
 * Returns whether an `If-None-Match` names this entity tag (RFC 9110, 13.1.2: a list or `*`, compared weakly). Koa's
 * `fresh` ignores it if the request has `Cache-Control: no-cache`, which is meant for caches and not for the origin.
 */
function isKnown(etag: string, ifNoneMatch: string): boolean {
  return ifNoneMatch.trim() === '*' || ifNoneMatch.match(/"[^"]*"/g)?.includes(etag) === true;
}
