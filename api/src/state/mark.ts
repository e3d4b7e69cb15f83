import type { AddressHash, Mark } from './state-store.ts';

/** The widest network of a visitor, by which people are told apart where being many would harm others. */
export function networkOf({ address, wider }: Mark): AddressHash {
  return wider.at(-1) ?? address;
}
