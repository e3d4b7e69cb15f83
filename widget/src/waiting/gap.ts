import type { ChatState } from '@passerby/sdk';
import { assertNever } from '../assert-never.ts';
import { GAP, waitingGap } from './distance.ts';

/** Distance between the two discs in each state. */
export function gapOf(state: ChatState, now: number): number {
  switch (state.status) {
    case 'idle':
      return GAP.together;
    case 'waiting':
      return waitingGap(now - state.since);
    case 'chatting':
      return state.peer.presence === 'here' ? GAP.together : GAP.away;
    case 'elsewhere':
      return GAP.away;
    case 'ended':
    case 'refused':
    case 'closed':
      return GAP.parted;
    default:
      return assertNever(state);
  }
}
