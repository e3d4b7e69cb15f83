import type { IncomingMessage } from 'node:http';
import { keyOf, queryOf } from '../admission/origin-check.ts';

/** Request as Engine.IO passes it around, with the query as Engine.IO read it: the last of several values. */
type EngineRequest = IncomingMessage & { readonly _query: { sid?: string } };
/** One Engine.IO connection, with the request that opened it. */
interface Opened {
  readonly request: IncomingMessage;
}

/**
 * Returns whether a request asks for Engine.IO's JSONP, which no client of this service uses: it decodes a body inside
 * the library, bypassing the limit of packets per body.
 */
export function isJsonp(request: IncomingMessage): boolean {
  return queryOf(request).has('j');
}

/** Returns whether a request names the connection it belongs to, instead of opening one. */
export function isFollowUp(request: IncomingMessage): boolean {
  return queryOf(request).has('sid');
}

/**
 * Returns whether a request names a connection that another page opened: with another site key or another origin. A
 * `sid` is part of URLs, so it is found in the logs of proxies.
 */
export function isOfAnotherPage(request: IncomingMessage, connections: Readonly<Record<string, Opened>>): boolean {
  const { sid = '' } = (request as EngineRequest)._query;
  if (!Object.hasOwn(connections, sid)) return false;
  const { request: opening } = connections[sid]!;
  return keyOf(request) !== keyOf(opening) || request.headers.origin !== opening.headers.origin;
}

/** Replaces the `sid` of a request by an unknown one, so that Engine.IO's answer does not reveal whether it exists. */
export function forgetSid(request: IncomingMessage): void {
  (request as EngineRequest)._query.sid = UNKNOWN_SID;
}

/** Id that no connection has: Engine.IO's are 20 characters long. */
const UNKNOWN_SID = '-';
