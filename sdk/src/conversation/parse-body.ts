import { type Body, type BodyKind, LIMITS, type UnknownBody } from '../protocol/index.ts';

/** Result of parsing a peer's body. A stranger wrote it: nothing in it is believed before this. */
export type ParsedBody =
  | { readonly kind: 'known'; readonly body: Body }
  /** A kind of a newer peer: ignored, so that old clients survive new peers. */
  | { readonly kind: 'unknown' }
  /** A kind we know, with content that does not fit: dropped and counted. */
  | { readonly kind: 'junk' };

export function parseBody(body: UnknownBody): ParsedBody {
  // Any string: the last case is for those that are none of these.
  const kind = body.kind as BodyKind;
  switch (kind) {
    case 'text':
      return isText(body['text']) ? known({ kind, text: body['text'] }) : JUNK;
    case 'typing':
      return typeof body['on'] === 'boolean' ? known({ kind, on: body['on'] }) : JUNK;
    case 'ack':
      return known({ kind });
    default:
      // Does not compile while a kind is missing above.
      kind satisfies never;
      return { kind: 'unknown' };
  }
}

const JUNK: ParsedBody = { kind: 'junk' };

function known(body: Body): ParsedBody {
  return { kind: 'known', body };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LIMITS.textMaxChars;
}
