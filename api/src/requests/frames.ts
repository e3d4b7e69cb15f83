import type { Frame } from '@passerby/sdk/protocol';
import type { FrameFault } from '../contract/frame.ts';
import type { SessionRef } from '../domain/session.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SpamDetector } from '../moderation/spam-detector.ts';
import type { Relay } from '../sessions/relay.ts';

/** Relays a frame. Returns why it was dropped, `null` if it was not. */
export type FrameHandler = (from: SessionRef, frame: Frame, visitor: Visitor) => FrameFault | null;

/** Relays frames, and records what is said for the spam detector. */
export function frameHandler(relay: Pick<Relay, 'pass'>, spam: Pick<SpamDetector, 'record'>): FrameHandler {
  return (from, frame, visitor) => {
    const fault = relay.pass(from.sessionId, frame);
    // A frame dropped for want of a number was meant to get past the detector.
    if (fault === null || fault === 'unnumbered') spam.record(from.site, visitor.addresses[0], frame);
    return fault;
  };
}
