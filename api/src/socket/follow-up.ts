import type { IncomingMessage } from 'node:http';
import { keyOf, queryOf } from '../sites/admission.ts';

/** A request as Engine.IO passes it around: its query as it was read, the last of several values. */
type EngineRequest = IncomingMessage & { readonly _query: { sid?: string } };
/** One Engine.IO connection, with the request that opened it. */
interface Opened {
  readonly request: IncomingMessage;
}

/** Whether a request is none that opens a connection, but says which one it belongs to. */
export function isFollowUp(request: IncomingMessage): boolean {
  return queryOf(request).has('sid');
}

/**
 * Whether a request that names a connection may be one of the page that opened it: of the same key and the same origin.
 * A `sid` stands in addresses, so it may be known to others; what they hear is what they hear of one there is not.
 */
export function isOfAnotherPage(request: IncomingMessage, connections: Readonly<Record<string, Opened>>): boolean {
  const { sid = '' } = (request as EngineRequest)._query;
  if (!Object.hasOwn(connections, sid)) return false;
  const { request: opening } = connections[sid]!;
  return keyOf(request) !== keyOf(opening) || request.headers.origin !== opening.headers.origin;
}

/** Makes a request one of a connection there is not, so that Engine.IO answers it as such. */
export function forgetSid(request: IncomingMessage): void {
  (request as EngineRequest)._query.sid = UNKNOWN_SID;
}

/** No connection has it: Engine.IO's are 20 characters long. */
const UNKNOWN_SID = '-';
