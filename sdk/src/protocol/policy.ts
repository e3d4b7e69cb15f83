/** What a site lets its visitors do, as the widget and the SDK need to know it. Sent with `session:ready` and `conversation:started`. */
export interface Policy {
  /** Interests offered on the start screen, in this order. Empty: none are offered, visitors may still add their own if `isFreeInterests`. */
  readonly interests: readonly string[];
  /** Whether visitors may add interests of their own. */
  readonly isFreeInterests: boolean;
  /** A conversation in which neither side says anything for this long ends with `idle`. Milliseconds. */
  readonly inactivityMs: number;
}
