import { withoutSecrets } from './internal/without-secrets.ts';
import { ERRORS, type ErrorCode, type Retry, type WireError } from './protocol/index.ts';

/** Errors of the SDK itself, besides the refusals of the service. */
export const CLIENT_ERRORS = {
  /** The answer did not come in time. Whether the request took effect is unknown. */
  timeout: { retry: 'after_delay', message: 'The service did not answer in time.' },
  /** The caller's `AbortSignal` fired. */
  aborted: { retry: 'never', message: 'The call was aborted.' },
  /** `close()` was called. */
  closed: { retry: 'never', message: 'This chat is closed.' },
  /** The call is not valid in the current state, such as `send` without a conversation. */
  wrong_state: { retry: 'never', message: 'Not possible in the present state.' },
  /** The text is empty or longer than `LIMITS.textMaxChars`. */
  text_refused: { retry: 'never', message: 'The text is empty or too long.' },
  /** The outbox is full of messages that the peer has not acknowledged; retry once some are delivered. */
  outbox_full: { retry: 'after_delay', message: 'Too many undelivered messages.' },
  /** Another tab of this site has a search or a conversation; `takeOver()` moves it to this tab. */
  open_elsewhere: { retry: 'never', message: 'The chat is open in another tab.' },
} as const satisfies Record<string, { readonly retry: Retry; readonly message: string }>;

/** Code of a {@link ChatError}: one of the service's, or one of the SDK's own. */
export type ChatErrorCode = ErrorCode | keyof typeof CLIENT_ERRORS;

/** Error class of the SDK: its calls throw it or reject with it. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: ChatErrorCode;
  /** Action that the caller may take. */
  readonly retry: Retry;
  /** Time to wait before a retry, milliseconds; `undefined` if there is none. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ChatErrorCode, detail: { message?: string; retryAfterMs?: number | undefined } = {}) {
    const row = code in CLIENT_ERRORS ? CLIENT_ERRORS[code as keyof typeof CLIENT_ERRORS] : ERRORS[code as ErrorCode];
    super(withoutSecrets(detail.message ?? row.message));
    this.code = code;
    this.retry = row.retry;
    this.retryAfterMs = detail.retryAfterMs;
  }

  /** Creates the error of a refusal from the wire. A code of a newer service that this client does not know becomes `internal`. */
  static fromWire(error: WireError): ChatError {
    const code = Object.hasOwn(ERRORS, error.code) ? error.code : 'internal';
    return new ChatError(code, { message: error.message, retryAfterMs: error.retryAfterMs });
  }
}
