/** Version of the wire protocol of this package. An incompatible change raises it. */
export const PROTOCOL_VERSION = 1;

/**
 * Versions that the service supports, oldest first. A client below the range is refused with `client_too_old`, one
 * above it with `server_too_old`.
 */
export const SUPPORTED_VERSIONS: readonly [oldest: number, newest: number] = [1, PROTOCOL_VERSION];
