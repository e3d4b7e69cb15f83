/** Operations of a state store, all but its `kind`: label values of `passerby_store_seconds`. */
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
] as const;

export type Transition = (typeof TRANSITIONS)[number];
