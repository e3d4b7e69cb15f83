import { LIMITS, type RequestName } from '@passerby/sdk/protocol';

/** Maximum number of characters by which JSON escapes one UTF-16 code unit (`\u0000`). */
export const ESCAPED_CHARS_MAX = 6;
/** Room for names, punctuation, ids, an acknowledgement number, and the spaces of other JSON writers. */
const ENVELOPE_CHARS = 1_024;
/** Maximum length of a challenge of this service and its solution, as base64, with room to spare. */
export const SOLUTION_MAX_CHARS = 4_000;

const CRITERIA_CHARS =
  LIMITS.interestMaxChars * (LIMITS.interestsMax + LIMITS.seeksMax + 1) +
  LIMITS.languageMaxChars * LIMITS.languagesMax +
  LIMITS.topicMaxChars;
const REPORT_CHARS = LIMITS.reportMessagesMax * LIMITS.textMaxChars + LIMITS.commentMaxChars;

/**
 * Returns the maximum length of a packet with that many characters of free text in its payload, at most that of any
 * packet.
 */
const packetChars = (textChars: number): number =>
  Math.min(LIMITS.packetMaxBytes, ENVELOPE_CHARS + textChars * ESCAPED_CHARS_MAX);

/**
 * Maximum length of the packet of each request, in UTF-16 code units, which are never more than its bytes: computed
 * from the limits of its payload. A longer one is refused before it is parsed.
 */
export const REQUEST_PACKET_CHARS: Readonly<Record<RequestName, number>> = {
  'match:find': packetChars(CRITERIA_CHARS),
  'match:cancel': packetChars(0),
  'conversation:leave': packetChars(CRITERIA_CHARS),
  'conversation:block': packetChars(0),
  'conversation:report': packetChars(REPORT_CHARS),
  'session:agree': packetChars(LIMITS.ageBandMaxChars),
  'session:challenge': packetChars(0),
  'session:prove': ENVELOPE_CHARS + SOLUTION_MAX_CHARS,
  'session:check': packetChars(0),
  'session:close': packetChars(0),
};

/** Maximum length of a frame's packet. The body is measured in bytes once it is parsed. UTF-16 code units. */
export const FRAME_PACKET_CHARS = LIMITS.frameMaxBytes + ENVELOPE_CHARS;
/** Maximum length of the packet of an unknown event, or of an acknowledgement. UTF-16 code units. */
export const OTHER_PACKET_CHARS = ENVELOPE_CHARS;
/** Maximum length of a CONNECT packet: claims, a token, and room for what a newer client may add. UTF-16 code units. */
export const CONNECT_PACKET_CHARS = LIMITS.claimsMaxChars + 2 * ENVELOPE_CHARS;
