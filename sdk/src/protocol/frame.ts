import type { ConversationId, Run } from './ids.ts';

/** A text message. 1 to `LIMITS.textMaxChars` UTF-16 code units. */
export interface TextBody {
  readonly kind: 'text';
  readonly text: string;
}

/** The sender started (`on`) or stopped composing. Travels unnumbered: it may be lost. */
export interface TypingBody {
  readonly kind: 'typing';
  readonly on: boolean;
}

/** Nothing but the acknowledgement on the envelope. */
export interface AckBody {
  readonly kind: 'ack';
}

/** Content of a frame, from one visitor to the other. A kind the receiver does not know is ignored, so that old clients survive new peers. */
export type Body = TextBody | TypingBody | AckBody;

/**
 * Kinds that may travel in a frame numbered 0. The list is closed: a body of any other kind has to be numbered. The
 * service drops the rest, and so does a receiver, since frames numbered 0 pass by the quota for messages.
 */
export const UNNUMBERED_KINDS: readonly string[] = ['typing', 'ack'] satisfies readonly Body['kind'][];

/** A body as it arrives: a stranger wrote it, nothing but its being an object with a `kind` is certain. */
export interface UnknownBody {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/**
 * `conversation:frame`: what travels between two visitors, the same shape in both directions and the
 * one event without a Socket.IO acknowledgement. The service checks this envelope and its size, relays
 * it to the current peer and keeps nothing.
 */
export interface Frame {
  readonly conversationId: ConversationId;
  /** The sender's numbering. */
  readonly run: Run;
  /** The numbering of the peer's that `ack` counts in; absent before anything was heard of the peer. */
  readonly peerRun?: Run;
  /** 1, 2, 3 … for what must arrive; 0 for what may be lost, which only `UNNUMBERED_KINDS` may. */
  readonly seq: number;
  /** Highest `seq` received in order in `peerRun`; 0 before the first. */
  readonly ack: number;
  readonly body: UnknownBody;
}

/** The event name frames travel under, both ways. */
export const FRAME_EVENT = 'conversation:frame';
