import type { Frame } from '@passerby/sdk/protocol';
import type { FrameFault } from '../contract/frame.ts';
import type { SpamDetector } from '../moderation/spam-detector.ts';
import type { LocalSession } from '../sessions/local-sessions.ts';
import type { Relay } from '../sessions/relay.ts';

/** Relays a frame. Returns why it was dropped, `null` if it was not. */
export type FrameHandler = (from: LocalSession, frame: Frame) => FrameFault | null;

/** Relays frames, and records what is said for the spam detector. */
export function frameHandler(relay: Pick<Relay, 'pass'>, spam: Pick<SpamDetector, 'record'>): FrameHandler {
  return (from, frame) => {
    const fault = relay.pass(from, frame);
    // A frame dropped for want of a number was meant to get past the detector.
    if (fault === null || fault === 'unnumbered') spam.record(from.ref.site, from.visitor.addresses[0], frame);
    return fault;
  };
}
