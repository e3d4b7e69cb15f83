/** Maximum pause between attempts to connect: service has to resume within 3 s of Redis coming back. Milliseconds. */
const RECONNECT_MAX_MS = 1_000;
export const reconnectAfterMs = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 5), RECONNECT_MAX_MS);

/**
 * Options of every connection. With ioredis's defaults a lost reply runs the same script twice, and a timed-out command
 * may run later. With these an error means "outcome unknown", and the caller retries with the same operation id.
 */
export const CONNECTION = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // Subscribed anew by us: where ioredis does so and fails, nobody catches it, and the process ends.
  autoResubscribe: false,
  // Longer than `socketTimeout`: an answer that is only late is waited for, one that is lost comes with a lost connection.
  // Where nothing else was answered meanwhile the connection is made anew (`hearAnswers`).
  commandTimeout: 2_000,
  socketTimeout: 1_500,
  // Also the time for a TLS handshake.
  connectTimeout: 2_000,
  // A peer that is frozen does not close its side either: the new connection is not kept waiting for that.
  disconnectTimeout: 300,
  // A server that reads its data is asked again this often, and not as late as it guesses.
  maxLoadingRetryTime: 500,
  retryStrategy: reconnectAfterMs,
};
export type ConnectionOptions = typeof CONNECTION & { readonly reconnectOnError: (error: Error) => boolean };
