import { LIMITS, type Frame } from '@passerby/sdk/protocol';
import { z } from 'zod';
import * as ids from './ids.ts';
import { schemaFor } from './schema-for.ts';

/** The envelope of a frame; the body only has to be an object with a kind, the rest is for the receiver to judge. */
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

/** Why a frame was not relayed. There is nobody to answer, so these are counted. */
export const FRAME_FAULTS = ['malformed', 'too_large', 'not_paired', 'peer_away', 'throttled'] as const;
export type FrameFault = (typeof FRAME_FAULTS)[number];

/** JSON escapes one UTF-16 unit to six bytes at most (`\u0000`), so a plain text within its limit needs no measuring. */
const ESCAPED_BYTES_MAX = 6;

/** The frame, or why it is none. Never throws, whatever is thrown at it. */
export function parseFrame(value: unknown): Frame | Extract<FrameFault, 'malformed' | 'too_large'> {
  const parsed = frameSchema.safeParse(value);
  if (!parsed.success) return 'malformed';
  const { body } = parsed.data;
  if (body.kind === 'text') {
    const { text } = body;
    if (typeof text !== 'string') return 'malformed';
    if (text.length > LIMITS.textMaxChars) return 'too_large';
    const isPlain = Object.keys(body).length === 2;
    if (isPlain && text.length * ESCAPED_BYTES_MAX < LIMITS.frameMaxBytes) return parsed.data;
  }
  return Buffer.byteLength(JSON.stringify(body)) <= LIMITS.frameMaxBytes ? parsed.data : 'too_large';
}
