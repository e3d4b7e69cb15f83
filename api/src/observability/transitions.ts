import type { StateStore } from '../state/state-store.ts';

/** What a state store can be asked to do: label values of `passerby_store_seconds`. */
export const TRANSITIONS = [
  'open',
  'resume',
  'settle',
  'suspend',
  'agree',
  'close',
  'find',
  'cancel',
  'leave',
  'confirm',
  'block',
  'reported',
  'end',
  'sweep',
  'repair',
  'heartbeat',
  'compare',
  'placed',
  'survey',
  'online',
] as const satisfies readonly Exclude<keyof StateStore, 'kind'>[];

export type Transition = (typeof TRANSITIONS)[number];
