/** Operations of a state store, all but its `kind`: label values of `passerby_store_seconds`. */
export const STORE_OPERATIONS = [
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

export type StoreOperation = (typeof STORE_OPERATIONS)[number];
