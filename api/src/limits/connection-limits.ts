const ping = { intervalMs: 20_000, timeoutMs: 10_000 };

/**
 * Limits of what one connection may cost this process, whoever opened it and whatever it sends, holds back or leaves
 * unread. `docs/reference/limits.md` lists them, and a test compares the two.
 */
export const CONNECTION_LIMITS = {
  /** TCP connections; more are closed as they come. An idle visitor costs about 25 kB, so this is about half a gigabyte. */
  connectionsMax: 20_000,
  /** The head of an HTTP request, in bytes. Ours are under 1 KiB; a service under the site's own domain gets its cookies too. */
  headMaxBytes: 16 * 1024,
  /** From a connection's first moment, or a request's first byte, until its head is whole. */
  headMs: 10_000,
  /** Until a request is whole. Leaves 20 s for the largest body (`packetMaxBytes`): a phone with 3 kB/s makes it. */
  requestMs: 30_000,
  /** Interval at which those two times are looked at; Node's own 30 s would quadruple them. */
  overdueCheckMs: 1_000,
  /** Time for which a connection between two requests stays. More than the 60 s of common proxies, so that they let go: what a proxy sends while this side closes is lost. */
  keepAliveMs: 65_000,
  /** An HTTP connection on which nothing moves. More than a long poll may last, which a ping ends at the latest. */
  stillMs: ping.intervalMs + ping.timeoutMs + 10_000,
  /** From the Engine.IO handshake until the visitor has joined. */
  joinMs: 10_000,
  /** Maximum time that a connection that this side closes may take to agree; then it is torn down. ws and Engine.IO would wait for 30 s. */
  closeMs: 3_000,
  /** Interval at which a silent connection is asked whether it lives. */
  pingIntervalMs: ping.intervalMs,
  /** Maximum time that it may take to answer. */
  pingTimeoutMs: ping.timeoutMs,
  /** Packets that wait for a connection that does not read; with one more it is cut. Eight times what the SDK has under way at most (`windowFrames`). */
  unreadMaxPackets: 256,
  /** The same in bytes, what was handed to the WebSocket included. */
  unreadMaxBytes: 256 * 1024,
  /** Beyond this many, what may be lost is not queued at all. Above 0, since a long-polling client reads nothing between two polls. */
  unreadLossyMaxPackets: 16,
  /** Fragments of one WebSocket message; browsers send a message of `packetMaxBytes` in one. */
  fragmentsMax: 64,
  /** Chunks in which one WebSocket frame may arrive: `packetMaxBytes` in pieces of 64 bytes. Each costs far more than it carries. */
  chunksMax: 1_024,
  /**
   * Packets of one connection at once, and as many again within `packetsMs`, and packets that wait for their turn; with one
   * more it is cut. Pings of the WebSocket count too. Twice what a session may send in frames at once (200), and eight
   * times that as it goes on.
   */
  packetsMax: 400,
  packetsMs: 2_000,
  /**
   * Bytes of those packets at once, as many again within `packetsMs`, and of those that wait; with one more the connection
   * is cut. More than the 32 longest texts that the SDK has under way (12 KiB each if every character is escaped) and a report.
   */
  packetsMaxBytes: 512 * 1024,
  /** Requests of one visitor that are being answered. A client asks one thing at a time, and now and then whether its line lives. */
  requestsMax: 16,
  /** Connections of one address (IPv6: one /64; wider networks by `timesAt` as many) that have passed the origin check, joined or not. A school behind one router. */
  addressConnectionsMax: 100,
  /** TCP connections of one address where no proxy stands in front, whatever they are for: those above, and those by which as many browsers load pages. */
  addressTcpMax: 500,
} as const;

export type ConnectionLimits = { readonly [Name in keyof typeof CONNECTION_LIMITS]: number };
