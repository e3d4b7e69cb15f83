/**
 * Bounds both sides of the wire know. The service enforces them; the SDK respects them so that a
 * well-behaved visitor never meets a refusal.
 */
export const LIMITS = {
  /** Longest text message, in UTF-16 code units (`string.length`). */
  textMaxChars: 2_000,
  /** Largest frame, as bytes of its JSON. Room for a text of 2,000 four-byte characters, escaped, and for signalling. */
  frameMaxBytes: 16 * 1024,
  /** Largest packet the service reads (`maxHttpBufferSize`). More closes the connection. */
  packetMaxBytes: 64 * 1024,
  /** Maximum nesting of lists and objects in one packet. Those of this protocol nest four deep, but for the body of a frame. */
  packetDepthMax: 16,
  /** Maximum number of values in one packet, lists and objects included. A report of 20 messages has about 70. */
  packetValuesMax: 128,
  /** Maximum number of values in one frame, its envelope included. A message has nine. */
  frameValuesMax: 64,
  /** Most interests in one `match:find`. */
  interestsMax: 10,
  /** Longest interest, language tag or topic, in UTF-16 code units. */
  interestMaxChars: 40,
  languagesMax: 5,
  languageMaxChars: 16,
  topicMaxChars: 200,
  ageBandMaxChars: 20,
  /** Longest comment of a report, in UTF-16 code units. */
  commentMaxChars: 500,
  /** Most messages a visitor may hand over with a report: the last ones. */
  reportMessagesMax: 20,
  /** Longest signed statement about a visitor. */
  claimsMaxChars: 2_000,
  /** Most groups in `seeks`. */
  seeksMax: 5,
  /** Highest sequence number: far more than a conversation can say, and exact in every JSON reader. */
  seqMax: 2_147_483_647,
} as const;

/** Times both sides of the wire agree on, in milliseconds. */
export const TIMES = {
  /** Time for which a visitor whose connection is gone keeps their place and conversation. Outlasts a glance at the lock screen. */
  graceMs: 60_000,
  /** A bare ack goes out this long after a numbered frame if no frame carried the ack before. */
  ackDelayMs: 200,
  /** While composing, at most one `typing` frame in this time. */
  typingEveryMs: 2_000,
  /** The receiver forgets a peer's typing after this; three missed frames. */
  typingForgetMs: 6_000,
  /** Time after its end within which a conversation may be reported. */
  reportMs: 15 * 60_000,
  /** Every request is answered within this, with an error if need be. */
  replyTimeoutMs: 5_000,
} as const;
