import { LIMITS, type TextBody, type TypingBody, type UnknownBody } from '../protocol/index.ts';

/** Result of parsing a peer's body. A stranger wrote it: nothing in it is believed before this. */
export type ParsedBody =
  | { readonly kind: 'known'; readonly body: TextBody | TypingBody }
  /** A kind of a newer peer: ignored, so that old clients survive new peers. */
  | { readonly kind: 'unknown' }
  /** A kind we know, with content that does not fit: dropped and counted. */
  | { readonly kind: 'junk' };

export function parseBody(body: UnknownBody): ParsedBody {
  switch (body.kind) {
    case 'text':
      return isText(body['text']) ? { kind: 'known', body: { kind: 'text', text: body['text'] } } : { kind: 'junk' };
    case 'typing':
      return typeof body['on'] === 'boolean'
        ? { kind: 'known', body: { kind: 'typing', on: body['on'] } }
        : { kind: 'junk' };
    default:
      return { kind: 'unknown' };
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LIMITS.textMaxChars;
}
