import { LIMITS } from '@passerby/sdk/protocol';

const ping = { intervalMs: 20_000, timeoutMs: 10_000 };

/**
 * Limits of the resources that one connection may use, whatever its client sends, delays or leaves unread.
 * `docs/reference/limits.md` lists them, and a test compares the two.
 */
export const CONNECTION_LIMITS = {
  /**
   * Maximum number of TCP connections; further ones are closed at once. An idle visitor costs about 25 kB, so this is
   * about half a gigabyte.
   */
  connectionsMax: 20_000,
  /**
   * Maximum size of the head of an HTTP request, in bytes. Those of our clients are under 1 KiB; a service under the
   * site's own domain gets its cookies too.
   */
  headMaxBytes: 16 * 1024,
  /** Maximum time from the opening of a connection, or the first byte of a request, until its head is complete. */
  headMs: 10_000,
  /**
   * Maximum time until a request is complete. Leaves 20 s for the largest body (`packetMaxBytes`): enough for a phone
   * with 3 kB/s.
   */
  requestMs: 30_000,
  /** Interval at which those two times are checked; with Node's default of 30 s the first could take four times as long. */
  overdueCheckMs: 1_000,
  /**
   * Keep-alive time of a connection between two requests. More than the 60 s of common proxies, so that they close it
   * first: a request that a proxy sends while this side closes is lost.
   */
  keepAliveMs: 65_000,
  /**
   * Maximum time without traffic on an HTTP connection. More than the duration of a long poll, which a ping ends at the
   * latest.
   */
  stillMs: ping.intervalMs + ping.timeoutMs + 10_000,
  /** Maximum time from the Engine.IO handshake until the visitor has joined. */
  joinMs: 10_000,
  /**
   * Maximum time to wait for the other end when this side closes a connection; then it is destroyed. ws and Engine.IO
   * would wait for 30 s.
   */
  closeMs: 3_000,
  /** Interval at which a connection is pinged. */
  pingIntervalMs: ping.intervalMs,
  /** Maximum time until the pong. */
  pingTimeoutMs: ping.timeoutMs,
  /**
   * Maximum number of packets queued for a connection that does not read; with one more it is cut. Eight times what a
   * peer may have unacknowledged.
   */
  unreadMaxPackets: 8 * LIMITS.windowFrames,
  /** Maximum number of bytes queued for it, including those handed to the WebSocket. */
  unreadMaxBytes: 256 * 1024,
  /**
   * Queue length from which pushes that may be lost are not queued at all. Above 0, since a long-polling client reads
   * nothing between two polls.
   */
  unreadLossyMaxPackets: 16,
  /** Maximum number of fragments of one WebSocket message; browsers send a message of `packetMaxBytes` in one. */
  fragmentsMax: 64,
  /**
   * Maximum number of chunks in which one WebSocket frame may arrive: `packetMaxBytes` in pieces of 64 bytes. Each
   * costs far more memory than it carries.
   */
  chunksMax: 1_024,
  /**
   * Quota of packets of one connection, at once and again per `packetsMs`, and maximum number of queued ones; with one
   * more it is cut. WebSocket pings count too. Twice the frames that a session may send at once (200), and eight times
   * its sustained rate.
   */
  packetsMax: 400,
  packetsMs: 2_000,
  /**
   * Quota of bytes of those packets, at once and again per `packetsMs`, and maximum of queued bytes; with one more the
   * connection is cut. More than `LIMITS.windowFrames` unacknowledged texts of maximum length (12 KiB each if every character is escaped)
   * and a report.
   */
  packetsMaxBytes: 512 * 1024,
  /**
   * Maximum number of concurrent requests of one visitor. A client sends one at a time, and now and then a check of its
   * connection.
   */
  requestsMax: 16,
  /**
   * Maximum number of connections of one address (IPv6: one /64; wider networks by `timesAt` as many) that have passed
   * the origin check, joined or not. Enough for a school behind one router.
   */
  addressConnectionsMax: 100,
  /**
   * Maximum number of TCP connections of one address without a proxy in front, for any purpose: those above, and those
   * by which as many browsers load pages.
   */
  addressTcpMax: 500,
} as const;

export type ConnectionLimits = { readonly [Name in keyof typeof CONNECTION_LIMITS]: number };

/** Limits that `RATE_LIMIT_FACTOR` multiplies. */
const SCALED = [
  'addressConnectionsMax',
  'addressTcpMax',
  'packetsMax',
  'packetsMaxBytes',
] as const satisfies readonly (keyof ConnectionLimits)[];

/** Returns the limits of a service, rounded up to integers. */
export function connectionLimits(factor: number): ConnectionLimits {
  const scaled = SCALED.map((name) => [name, Math.ceil(CONNECTION_LIMITS[name] * factor)] as const);
  return { ...CONNECTION_LIMITS, ...Object.fromEntries(scaled) };
}
