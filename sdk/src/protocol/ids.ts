declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Publishable key of a site: `pk_live_` or `pk_test_` and 4 to 60 of `A-Z a-z 0-9 _`. No secret: it stands in the page. */
export type SiteKey = Branded<'SiteKey'>;

/** One conversation between two visitors, unguessable, made by the service. It is a fence, never a permission. */
export type ConversationId = Branded<'ConversationId'>;

/** Made by the client for one `match:find`, so that asking again is the same wait. 8 to 64 of `A-Z a-z 0-9 _ -`. */
export type RequestId = Branded<'RequestId'>;

/** One-time secret that brings a visitor back to their session. Opaque; rotated with every `session:ready`. */
export type ResumeToken = Branded<'ResumeToken'>;

/** A sender's numbering of frames within one conversation. A new one: the sender, or the peer it answers, lost its memory. 1 to 32 of `A-Z a-z 0-9 _ -`. */
export type Run = Branded<'Run'>;

/** Form of each id on the wire. Only the service's schemas and the SDK's client turn a string into an id. */
export const ID_PATTERN = {
  siteKey: /^pk_(live|test)_[A-Za-z0-9_]{4,60}$/,
  conversationId: /^c_[A-Za-z0-9_-]{22}$/,
  requestId: /^[A-Za-z0-9_-]{8,64}$/,
  resumeToken: /^r_[A-Za-z0-9_-]{22,64}$/,
  run: /^[A-Za-z0-9_-]{1,32}$/,
} as const;
