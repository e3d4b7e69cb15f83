/** Action that the caller may take after a refusal: none, a retry after `retryAfterMs`, or a start with a new session. */
export type Retry = 'never' | 'after_delay' | 'new_session';

/** Row of the error table: the HTTP status, the possible retry, and the message for developers. */
export interface ErrorRow {
  readonly status: number;
  readonly retry: Retry;
  readonly message: string;
}

/**
 * All refusals of the service. The code is the same on the wire, in logs, in metrics and as an anchor in
 * `docs/reference/errors.md`.
 */
export const ERRORS = {
  bad_request: { status: 400, retry: 'never', message: 'The payload does not match the schema of this request.' },
  origin_refused: {
    status: 403,
    retry: 'never',
    message: 'Unknown site key, or its site does not list this origin.',
  },
  unauthorized: { status: 401, retry: 'never', message: 'A valid token is required.' },
  key_revoked: { status: 403, retry: 'never', message: 'This site key was revoked or has expired.' },
  claims_refused: {
    status: 403,
    retry: 'never',
    message: 'The claims are missing, expired, or not signed with a key of the site.',
  },
  banned: { status: 403, retry: 'after_delay', message: 'This visitor is banned.' },
  agreement_needed: {
    status: 403,
    retry: 'never',
    message: 'Consent to the rules, or an age band, is required first.',
  },
  proof_needed: {
    status: 403,
    retry: 'never',
    message: 'Solve a challenge first: request one with session:challenge.',
  },
  client_too_old: {
    status: 426,
    retry: 'never',
    message: 'The client is older than the service. Load the current version.',
  },
  server_too_old: {
    status: 426,
    retry: 'after_delay',
    message: 'The client is newer than the service, which is being updated.',
  },
  not_found: { status: 404, retry: 'never', message: 'Not found.' },
  method_not_allowed: { status: 405, retry: 'never', message: 'Method not allowed.' },
  not_in_conversation: {
    status: 409,
    retry: 'never',
    message: 'Not in this conversation.',
  },
  already_in_conversation: {
    status: 409,
    retry: 'never',
    message: 'Already in a conversation. Leave it before a new search.',
  },
  age_band_fixed: { status: 409, retry: 'new_session', message: 'This session is bound to another age band.' },
  already_exists: { status: 409, retry: 'never', message: 'Already exists.' },
  session_gone: {
    status: 410,
    retry: 'new_session',
    message: 'This session has ended or was taken over.',
  },
  request_too_slow: {
    status: 408,
    retry: 'after_delay',
    message: 'The request did not arrive in time.',
  },
  payload_too_large: { status: 413, retry: 'never', message: 'The payload is too large.' },
  unsupported_media_type: { status: 415, retry: 'never', message: 'Unsupported media type. Send application/json.' },
  head_too_large: {
    status: 431,
    retry: 'never',
    message: 'The request head is too large.',
  },
  rate_limited: { status: 429, retry: 'after_delay', message: 'Too many requests. Retry after the delay.' },
  internal: { status: 500, retry: 'after_delay', message: 'Internal error.' },
  unavailable: {
    status: 503,
    retry: 'after_delay',
    message: 'The service is unavailable. Retry after the delay.',
  },
} as const satisfies Record<string, ErrorRow>;

/** Code of a refusal. */
export type ErrorCode = keyof typeof ERRORS;

/** Refusal on the wire: in the acknowledgement of a request, or as the reason of a failed handshake. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Time to wait before a retry; only if the table says `after_delay`. Milliseconds. */
  readonly retryAfterMs?: number;
  /** Id of this request in the service's log: `urn:passerby:request:req_…`. */
  readonly instance?: string;
}
