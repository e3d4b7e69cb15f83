import { isUnnumbered, LIMITS, type Frame } from '@passerby/sdk/protocol';
import { z } from 'zod';
import * as ids from './ids.ts';
import { ESCAPED_CHARS_MAX } from './packet-sizes.ts';
import { payloadFault } from './refused-payload.ts';
import { schemaFor } from './schema-for.ts';

/** Schema of the envelope of a frame; the body only has to be an object with a kind, the receiver validates the rest. */
export const frameSchema = schemaFor<Frame>()(
  z.strictObject({
    conversationId: ids.conversationId,
    run: ids.run,
    peerRun: ids.run.exactOptional(),
    seq: z.int().min(0).max(LIMITS.seqMax),
    ack: z.int().min(0).max(LIMITS.seqMax),
    body: z.looseObject({ kind: z.string().min(1).max(32) }),
  }),
);

/** Reasons why a frame was not relayed. Frames have no acknowledgement to answer with, so these are counted. */
export const FRAME_FAULTS = [
  'malformed',
  'too_large',
  'too_complex',
  'unnumbered',
  'not_paired',
  'peer_away',
  'throttled',
] as const;
export type FrameFault = (typeof FRAME_FAULTS)[number];

/** Faults of a frame itself, regardless of its sender. */
export type EnvelopeFault = Extract<FrameFault, 'malformed' | 'too_large' | 'too_complex'>;

/** Returns the frame, or its fault. Never throws, for any input. */
export function parseFrame(value: unknown): Frame | EnvelopeFault {
  const refused = payloadFault(value);
  if (refused !== null) return refused;
  const parsed = frameSchema.safeParse(value);
  return parsed.success ? (frameFault(parsed.data) ?? parsed.data) : 'malformed';
}

/** Returns the fault of a frame with a valid envelope; `null` if there is none. */
export function frameFault({ body }: Frame): EnvelopeFault | null {
  if (body.kind === 'text') {
    const { text } = body;
    if (typeof text !== 'string') return 'malformed';
    if (text.length > LIMITS.textMaxChars) return 'too_large';
    const isPlain = Object.keys(body).length === 2;
    if (isPlain && text.length * ESCAPED_CHARS_MAX < LIMITS.frameMaxBytes) return null;
  }
  return Buffer.byteLength(JSON.stringify(body)) <= LIMITS.frameMaxBytes ? null : 'too_large';
}

/**
 * Returns whether a frame is numbered 0 although its kind has to be numbered. Frames numbered 0 are not counted as
 * messages, so the sender's number alone is not enough.
 */
export function isNumberMissing({ seq, body }: Frame): boolean {
  return seq === 0 && !isUnnumbered(body.kind);
}
