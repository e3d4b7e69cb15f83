import type { ConversationId, Run } from './ids.ts';

/** A text message. 1 to `LIMITS.textMaxChars` UTF-16 code units. */
export interface TextBody {
  readonly kind: 'text';
  readonly text: string;
}

/** Reports that the sender started (`on`) or stopped composing. Sent unnumbered: it may be lost. */
export interface TypingBody {
  readonly kind: 'typing';
  readonly on: boolean;
}

/** Empty body, which carries the acknowledgement of the envelope only. */
export interface AckBody {
  readonly kind: 'ack';
}

/**
 * Content of a frame, from one visitor to the other. Unknown kinds are ignored, so that old clients work with newer
 * peers.
 */
export type Body = TextBody | TypingBody | AckBody;
export type BodyKind = Body['kind'];

/** Kinds that must be delivered, in a frame numbered from 1. With `UNNUMBERED_KINDS` all there are, proved by a type. */
export const NUMBERED_KINDS = ['text'] as const satisfies readonly BodyKind[];

/**
 * Kinds that may travel in a frame numbered 0. The list is closed: a body of any other kind has to be numbered. The
 * service drops the rest, and so does a receiver, since frames numbered 0 do not count towards the quota for messages.
 */
export const UNNUMBERED_KINDS = ['typing', 'ack'] as const satisfies readonly BodyKind[];

/** Returns whether a body of this kind may travel in a frame numbered 0. */
export function isUnnumbered(kind: string): kind is (typeof UNNUMBERED_KINDS)[number] {
  return (UNNUMBERED_KINDS as readonly string[]).includes(kind);
}

/** Unvalidated body as received from a stranger: only that it is an object with a `kind` is certain. */
export interface UnknownBody {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/**
 * `conversation:frame`: envelope of what two visitors send each other, the same in both directions and the only event
 * without a Socket.IO acknowledgement. The service checks this envelope and its size, relays it to the current peer and
 * keeps nothing.
 */
export interface Frame {
  readonly conversationId: ConversationId;
  /** Numbering (epoch) of the sender, in which `seq` counts. */
  readonly run: Run;
  /** Numbering of the peer, in which `ack` counts; absent before the first frame of the peer. */
  readonly peerRun?: Run;
  /**
   * Sequence number: 1, 2, 3 … for frames that must arrive; 0 for those that may be lost, allowed for
   * `UNNUMBERED_KINDS` only.
   */
  readonly seq: number;
  /** Highest `seq` received in order in `peerRun`; 0 before the first. */
  readonly ack: number;
  readonly body: UnknownBody;
}

/** Event name of frames, in both directions. */
export const FRAME_EVENT = 'conversation:frame';
