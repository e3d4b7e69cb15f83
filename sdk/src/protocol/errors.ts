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
  bad_request: { status: 400, retry: 'never', message: 'The payload does not fit this request.' },
  origin_refused: {
    status: 403,
    retry: 'never',
    message: 'This page may not use this site key: unknown key, or an origin that is not on its list.',
  },
  unauthorized: { status: 401, retry: 'never', message: 'This needs a valid token.' },
  key_revoked: { status: 403, retry: 'never', message: 'The site key of this page is no longer valid.' },
  claims_refused: {
    status: 403,
    retry: 'never',
    message: 'What the site says about this visitor is missing, out of date, or not signed with its key.',
  },
  banned: { status: 403, retry: 'after_delay', message: 'This visitor may not take part for now.' },
  agreement_needed: {
    status: 403,
    retry: 'never',
    message: 'The site asks for something first: agreement to its rules, or an age band.',
  },
  proof_needed: {
    status: 403,
    retry: 'never',
    message: 'Solve a challenge first: ask for one with session:challenge.',
  },
  client_too_old: {
    status: 426,
    retry: 'never',
    message: 'This client speaks an older protocol than the service. Load the current version.',
  },
  server_too_old: {
    status: 426,
    retry: 'after_delay',
    message: 'This client speaks a newer protocol than the service, which is being updated.',
  },
  not_found: { status: 404, retry: 'never', message: 'There is nothing here.' },
  method_not_allowed: { status: 405, retry: 'never', message: 'This address does not take that method.' },
  not_in_conversation: {
    status: 409,
    retry: 'never',
    message: 'You are not in this conversation.',
  },
  already_in_conversation: {
    status: 409,
    retry: 'never',
    message: 'You are in a conversation. Leave it before looking for someone else.',
  },
  age_band_fixed: { status: 409, retry: 'new_session', message: 'This session has another age band.' },
  already_exists: { status: 409, retry: 'never', message: 'There is one like that already.' },
  session_gone: {
    status: 410,
    retry: 'new_session',
    message: 'This session has ended or was taken over elsewhere.',
  },
  request_too_slow: {
    status: 408,
    retry: 'after_delay',
    message: 'The request took too long to arrive.',
  },
  payload_too_large: { status: 413, retry: 'never', message: 'That is more than the service reads.' },
  unsupported_media_type: { status: 415, retry: 'never', message: 'Send JSON, and say so in Content-Type.' },
  head_too_large: {
    status: 431,
    retry: 'never',
    message: 'The head of this request is larger than the service reads.',
  },
  rate_limited: { status: 429, retry: 'after_delay', message: 'Too many requests. Wait, then try again.' },
  internal: { status: 500, retry: 'after_delay', message: 'Something went wrong on our side.' },
  unavailable: {
    status: 503,
    retry: 'after_delay',
    message: 'The service cannot answer right now. Try again shortly.',
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
