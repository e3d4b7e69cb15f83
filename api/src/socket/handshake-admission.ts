import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '@passerby/sdk/protocol';
import { findAdmittedSite, REFUSED_ORIGIN } from '../admission/origin-check.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { AddressConnections } from './address-connections.ts';
import { forgetSid, isFollowUp, isJsonp, isOfAnotherPage } from './follow-up.ts';
import { REFUSED_CROWD } from './handshake.ts';
import type { VisitorServer } from './visitor-socket.ts';

export interface HandshakeAdmissionParts {
  readonly sites: SiteDirectory;
  readonly addresses: AddressConnections;
  readonly metrics: Metrics;
  /** Returns whether new connections are refused because this node is shutting down. */
  readonly isDraining: () => boolean;
}

/** Option `allowRequest` of Engine.IO. */
type AllowRequest = (
  request: IncomingMessage,
  decide: (refusal: string | null | undefined, isAllowed: boolean) => void,
) => void;

/** Returns the check of each handshake, before there is a connection. */
export function admitHandshakes(parts: HandshakeAdmissionParts): AllowRequest {
  return (request, decide) => {
    const refusal = refusalOf(request, parts);
    if (refusal !== null) parts.metrics.count('passerby_refusals_total', { door: 'handshake', code: refusal });
    decide(refusal, refusal === null);
  };
}

function refusalOf(
  request: IncomingMessage,
  { sites, addresses, isDraining }: HandshakeAdmissionParts,
): ErrorCode | null {
  if (isJsonp(request)) return 'bad_request';
  if (findAdmittedSite(request, sites) === null) return REFUSED_ORIGIN;
  if (isDraining()) return 'unavailable';
  return addresses.isFull(request) ? REFUSED_CROWD : null;
}

/** Checks the requests that follow a handshake, which `allowRequest` does not see: their `sid` may be stolen. */
export function admitFollowUps(
  server: VisitorServer,
  { sites, metrics }: Pick<HandshakeAdmissionParts, 'sites' | 'metrics'>,
): void {
  server.engine.use((request: IncomingMessage, _response: unknown, next: (refused?: Error) => void) => {
    if (!isFollowUp(request)) {
      next();
      return;
    }
    if (isJsonp(request)) {
      next(new Error('bad_request'));
      return;
    }
    const isAdmitted = findAdmittedSite(request, sites) !== null;
    const isOther = isOfAnotherPage(request, connectionsOf(server));
    if (!isAdmitted || isOther) metrics.count('passerby_refusals_total', { door: 'handshake', code: REFUSED_ORIGIN });
    if (isOther) forgetSid(request);
    next(isAdmitted ? undefined : new Error(REFUSED_ORIGIN));
  });
}

/** Engine.IO's connections, by `sid`. */
function connectionsOf(server: VisitorServer): Readonly<Record<string, { readonly request: IncomingMessage }>> {
  return (server.engine as unknown as { readonly clients: Record<string, { readonly request: IncomingMessage }> })
    .clients;
}
