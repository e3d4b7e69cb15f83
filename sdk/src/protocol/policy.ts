/** Policy of a site towards its visitors, as the widget and the SDK need to know it. Sent with `session:ready` and `conversation:started`. */
export interface Policy {
  /** Interests offered on the start screen, in this order. Empty: none are offered, visitors may still add their own if `isFreeInterests`. */
  readonly interests: readonly string[];
  /** True if visitors may add interests of their own. */
  readonly isFreeInterests: boolean;
  /** Languages offered, as BCP 47 tags. Empty: visitors may name any. */
  readonly languages: readonly string[];
  /** Topics offered; a visitor may name no other. Empty: any, such as the page they are on. */
  readonly topics: readonly string[];
  /** Age bands to choose from before the first search, in this order; visitors of different bands never meet. Empty: nobody is asked. */
  readonly ageBands: readonly string[];
  /** Rules that a visitor must agree to before the first search; `null`: nothing. */
  readonly rules: Rules | null;
  /** True if an https address in a message may be followed, after a word of warning. */
  readonly hasLinks: boolean;
  /** Reserved for pictures between visitors: always `false`. */
  readonly hasImages: boolean;
  /** Reserved for connections from visitor to visitor: always `false`. */
  readonly isPeerToPeer: boolean;
  /** Part of a conversation that may be stored: nothing, or the messages that a visitor attaches to a report. */
  readonly history: 'none' | 'reports';
  /** Time without a message from either visitor after which a conversation ends with `idle`. Milliseconds. */
  readonly inactivityMs: number;
}

/** Rules that a site asks its visitors to agree to. Plain text. */
export interface Rules {
  /**
   * Version, which changes with the text: a visitor who agreed to another one is asked again. 1 to 40 of `A-Z a-z 0-9 .
   * _ -`.
   */
  readonly version: string;
  /** Text of 1 to 4,000 characters; empty lines separate paragraphs. */
  readonly text: string;
}
