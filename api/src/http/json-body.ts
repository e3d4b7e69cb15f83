import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware, Next } from 'koa';
import { Refusal } from '../errors.ts';

/** Maximum size of a body that a JSON route reads. Bytes. */
export const BODY_MAX_BYTES = 16 * 1024;

/**
 * Parses JSON into `context.request.body`, an object or a list; `{}` without a body. Refuses `unsupported_media_type`
 * for anything else, forms above all, `payload_too_large` and `bad_request`.
 *
 * A body with a content coding is refused too: the parser pipes it into a decoder, which waits for ever if the
 * connection breaks midway, and throws errors that look like internal ones.
 */
export function jsonBody(): Middleware {
  const parse = bodyParser({ enableTypes: ['json'], jsonLimit: BODY_MAX_BYTES, parsedMethods: [...WITH_BODY] });
  return async (context: Context, next: Next): Promise<void> => {
    if (WITH_BODY.has(context.method) && !isJsonOrEmpty(context)) {
      // RFC 9110, 15.5.16: tells a body that is packed from one that is no JSON.
      context.set('Accept-Encoding', 'identity');
      throw new Refusal('unsupported_media_type');
    }
    await parse(context, next);
  };
}

const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

function isJsonOrEmpty({ headers }: Context): boolean {
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return false;
  const type = headers['content-type'];
  if (type !== undefined) return /^application\/json *(; *charset="?utf-8"? *)?$/i.test(type);
  return headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
}
