const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** Quota of a token bucket or counter: that many actions at once, and as many again within the window. */
export interface Quota {
  readonly points: number;
  readonly windowMs: number;
}

/**
 * Factor between the quota of one network of an IPv6 address and that of the next wider one (`NETWORK_BITS`): a /56 has
 * 4 times the quota of an address, a /48 16 times. Four subnets in full use are more than a household has, and a /48 in
 * which each phone has its own /64, as with some mobile providers, gets as much as sixteen schools; yet it takes at
 * least six such /48 to use up a site's quota of new sessions.
 */
export const WIDER_NETWORK_FACTOR = 4;

/** Returns the factor for the network at an index of `networksOf`; 1 for the narrowest, and so for IPv4. */
export function timesAt(step: number): number {
  return WIDER_NETWORK_FACTOR ** step;
}

/** Owners of a quota: a session (or a connection without one), the networks of an address on a site, or the whole site. */
export const SCOPES = ['session', 'address', 'site'] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * Rate limits of all actions. `RATE_LIMIT_FACTOR` multiplies the points. `docs/reference/limits.md` lists them,
 * and a test compares the two.
 */
export const RATE_LIMITS = {
  sessions: {
    // A class of thirty behind one router that opens the page at once.
    address: { points: 30, windowMs: MINUTE_MS },
    // Fifty a second: several processes' worth of new sessions without a delay of their event loops.
    site: { points: 3_000, windowMs: MINUTE_MS },
  },
  returns: {
    // Three times `addressConnectionsMax`, for resumes while processes are replaced.
    address: { points: 300, windowMs: MINUTE_MS },
  },
  connects: {
    // The sum of those two, and some more that are refused for expired claims, a ban or a revoked key. Consumed before a signature is verified.
    address: { points: 400, windowMs: MINUTE_MS },
  },
  searches: {
    // Ten quick skips, then one every two seconds, which is too fast to read a first message.
    session: { points: 10, windowMs: 20 * SECOND_MS },
    // The same class, each on their second search within the minute.
    address: { points: 60, windowMs: MINUTE_MS },
    // Four for each new session of a full minute.
    site: { points: 12_000, windowMs: MINUTE_MS },
  },
  requests: {
    // A search, a skip and a few checks of the connection: a client makes less than one request a second.
    session: { points: 30, windowMs: 6 * SECOND_MS },
  },
  messages: {
    // The maximum in flight (`LIMITS.windowFrames`) and nearly as much again, then four a second: faster than anybody types.
    session: { points: 60, windowMs: 15 * SECOND_MS },
  },
  frames: {
    // Each received message is acknowledged, and typing is sent every two seconds: six times the rate of messages.
    session: { points: 200, windowMs: 8 * SECOND_MS },
  },
  reports: {
    // One report for each conversation; nobody has five a minute for long.
    session: { points: 5, windowMs: 10 * MINUTE_MS },
    // More reports from one address are abuse.
    address: { points: 10, windowMs: 60 * MINUTE_MS },
  },
  challenges: {
    // One is enough; the others replace solutions that came too late.
    session: { points: 5, windowMs: 5 * MINUTE_MS },
    // One for each session that an address may open, which bounds the cost of creating them.
    address: { points: 30, windowMs: MINUTE_MS },
  },
  admin: {
    // Two a second: enough for a script that lists, or a person at a console.
    address: { points: 120, windowMs: MINUTE_MS },
  },
  documents: {
    // Enough for readers, and for generators of clients.
    address: { points: 30, windowMs: MINUTE_MS },
  },
  failed_tokens: {
    // Enough for typing errors, too few for guessing.
    address: { points: 10, windowMs: MINUTE_MS },
  },
} as const satisfies Record<string, Partial<Record<Scope, Quota>>>;

export type RateLimitName = keyof typeof RATE_LIMITS;

/** Names of the limits with a quota per session. */
export type SessionLimitName = {
  [Name in RateLimitName]: 'session' extends keyof (typeof RATE_LIMITS)[Name] ? Name : never;
}[RateLimitName];

/** Names of the limits with a quota across sessions. */
export type SharedLimitName = {
  [Name in RateLimitName]: 'address' extends keyof (typeof RATE_LIMITS)[Name] ? Name : never;
}[RateLimitName];

/** Returns a quota multiplied by a factor; at least one point. */
export function scaled({ points, windowMs }: Quota, factor: number): Quota {
  return { points: Math.max(1, Math.round(points * factor)), windowMs };
}
