import type { EndReason } from '@passerby/sdk';
import type { StringName } from '../i18n/en.ts';

/** Texts for each end reason. */
export const ENDINGS: Readonly<Record<EndReason, { heading: StringName; how: StringName; subtitle: StringName }>> = {
  peer_left: { heading: 'peerLeft', how: 'kept', subtitle: 'hasLeft' },
  peer_lost: { heading: 'peerLost', how: 'peerLostHow', subtitle: 'hasLeft' },
  idle: { heading: 'idle', how: 'idleHow', subtitle: 'ended' },
  you_left: { heading: 'youLeft', how: 'kept', subtitle: 'ended' },
  moderated: { heading: 'moderated', how: 'moderatedHow', subtitle: 'ended' },
  // Shown by no screen: the visitor is back in the queue at once.
  unconfirmed: { heading: 'peerLost', how: 'kept', subtitle: 'ended' },
  service_reset: { heading: 'serviceReset', how: 'serviceResetHow', subtitle: 'ended' },
};
