/** The version of the wire protocol this package speaks. A change that an older peer cannot read raises it. */
export const PROTOCOL_VERSION = 1;

/**
 * Versions the service speaks, oldest first. A client below the range is refused with
 * `client_too_old`, one above it with `server_too_old`.
 */
export const SUPPORTED_VERSIONS: readonly [oldest: number, newest: number] = [1, PROTOCOL_VERSION];
