/**
 * Limits of the wire protocol. The service enforces them; the SDK respects them, so that a well-behaved visitor is
 * never refused.
 */
export const LIMITS = {
  /** Maximum length of a text message, in UTF-16 code units (`string.length`). */
  textMaxChars: 2_000,
  /**
   * Maximum size of a frame, in bytes of its JSON. Room for a text of 2,000 four-byte characters, escaped, and for
   * signalling.
   */
  frameMaxBytes: 16 * 1024,
  /** Maximum size of a packet, in bytes (`maxHttpBufferSize`). A larger one closes the connection. */
  packetMaxBytes: 64 * 1024,
  /**
   * Maximum nesting of lists and objects in one packet. Those of this protocol nest four deep, apart from the body of a
   * frame.
   */
  packetDepthMax: 16,
  /** Maximum number of values in one packet, lists and objects included. A report of 20 messages has about 70. */
  packetValuesMax: 128,
  /** Maximum number of values in one frame, its envelope included. A message has nine. */
  frameValuesMax: 64,
  /** Maximum number of interests in one `match:find`. */
  interestsMax: 10,
  /** Maximum length of an interest or group, in UTF-16 code units, as those below. */
  interestMaxChars: 40,
  languagesMax: 5,
  languageMaxChars: 16,
  topicMaxChars: 200,
  ageBandMaxChars: 20,
  /** Maximum length of the comment of a report, in UTF-16 code units. */
  commentMaxChars: 500,
  /** Maximum number of messages, the last ones, that a visitor may attach to a report. */
  reportMessagesMax: 20,
  /** Maximum length of a site's claims about a visitor (JWT), in characters. */
  claimsMaxChars: 2_000,
  /** Maximum number of groups in `seeks`. */
  seeksMax: 5,
  /**
   * Maximum number of unacknowledged frames that a sender has under way at once; more wait for the acknowledgements. The
   * service has room for as many after it throttled a visitor.
   */
  windowFrames: 32,
  /** Maximum sequence number: far more than a conversation can reach, and exact in every JSON parser. */
  seqMax: 2_147_483_647,
} as const;

const TYPING_EVERY_MS = 2_000;

/** Times of the wire protocol, in milliseconds. */
export const TIMES = {
  /**
   * Grace period: time for which a disconnected visitor keeps their place and conversation. Long enough for a glance at
   * the lock screen.
   */
  graceMs: 60_000,
  /** Delay of a bare ack after a numbered frame, unless another frame carries the ack before. */
  ackDelayMs: 200,
  /** Minimum interval between `typing` frames while composing. */
  typingEveryMs: TYPING_EVERY_MS,
  /** Time after which the receiver drops a peer's typing: three missed frames. */
  typingForgetMs: 3 * TYPING_EVERY_MS,
  /** Time after its end within which a conversation may be reported. */
  reportMs: 15 * 60_000,
  /** Maximum time until the answer to a request, be it an error. */
  replyTimeoutMs: 5_000,
} as const;
