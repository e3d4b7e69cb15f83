import { withoutSecrets } from './internal/without-secrets.ts';
import { ERRORS, type ErrorCode, type Retry, type WireError } from './protocol/index.ts';

/** Refusals the SDK makes itself, beside those of the service. */
export const CLIENT_ERRORS = {
  /** The answer did not come in time. Whether the request took effect is unknown. */
  timeout: { retry: 'after_delay', message: 'The service did not answer in time.' },
  /** The caller's `AbortSignal` fired. */
  aborted: { retry: 'never', message: 'The call was aborted.' },
  /** `close()` was called. */
  closed: { retry: 'never', message: 'This chat is closed.' },
  /** The call makes no sense in the present state, such as `send` without a conversation. */
  wrong_state: { retry: 'never', message: 'Not possible in the present state.' },
  /** The text is empty or longer than `LIMITS.textMaxChars`. */
  text_refused: { retry: 'never', message: 'The text is empty or too long.' },
  /** More messages wait for the peer than the outbox holds; try again once some are delivered. */
  outbox_full: { retry: 'after_delay', message: 'Too many undelivered messages.' },
  /** Another tab of this site waits or talks; `takeOver()` brings that here. */
  open_elsewhere: { retry: 'never', message: 'The chat is open in another tab.' },
} as const satisfies Record<string, { readonly retry: Retry; readonly message: string }>;

/** The code of a {@link ChatError}: one of the service's, or one of the SDK's own. */
export type ChatErrorCode = ErrorCode | keyof typeof CLIENT_ERRORS;

/** The one error class the SDK throws and rejects with. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: ChatErrorCode;
  /** Action that the caller may take. */
  readonly retry: Retry;
  /** Milliseconds to wait before trying again, where the service said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ChatErrorCode, detail: { message?: string; retryAfterMs?: number | undefined } = {}) {
    const row = code in CLIENT_ERRORS ? CLIENT_ERRORS[code as keyof typeof CLIENT_ERRORS] : ERRORS[code as ErrorCode];
    super(withoutSecrets(detail.message ?? row.message));
    this.code = code;
    this.retry = row.retry;
    this.retryAfterMs = detail.retryAfterMs;
  }

  /** From a refusal as it travelled. A code of a newer service that this client does not know becomes `internal`. */
  static fromWire(error: WireError): ChatError {
    const code = Object.hasOwn(ERRORS, error.code) ? error.code : 'internal';
    return new ChatError(code, { message: error.message, retryAfterMs: error.retryAfterMs });
  }
}
