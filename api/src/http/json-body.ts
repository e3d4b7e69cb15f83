import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware, Next } from 'koa';
import { Refusal } from '../errors.ts';

/** The largest body a JSON route reads, unpacked. Bytes. */
export const BODY_MAX_BYTES = 16 * 1024;

/**
 * Reads JSON into `context.request.body`, an object or a list; `{}` where there is no body. Refuses
 * `unsupported_media_type` for anything else, forms above all, `payload_too_large` and `bad_request`.
 */
export function jsonBody(): Middleware {
  const parse = bodyParser({ enableTypes: ['json'], jsonLimit: BODY_MAX_BYTES, parsedMethods: [...WITH_BODY] });
  return async (context: Context, next: Next): Promise<void> => {
    if (WITH_BODY.has(context.method) && !isJsonOrEmpty(context)) throw new Refusal('unsupported_media_type');
    await parse(context, next);
  };
}

const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

function isJsonOrEmpty({ headers }: Context): boolean {
  const type = headers['content-type'];
  if (type !== undefined) return /^application\/json *(; *charset="?utf-8"? *)?$/i.test(type);
  return headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
}
