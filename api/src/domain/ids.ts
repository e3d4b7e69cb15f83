declare const brand: unique symbol;

/**
 * One tenant: whoever is on it may meet. The live and the test side of a site are two. Known to the
 * service only: pages name a site by its publishable key.
 */
export type SiteId = string & { readonly [brand]: 'SiteId' };

/** A visitor's session, known to the service only: it never travels. */
export type SessionId = string & { readonly [brand]: 'SessionId' };

/** One process of the service. */
export type NodeId = string & { readonly [brand]: 'NodeId' };

/** Salted hash of a network a visitor comes from; see `privacy/address-hash.ts`. */
export type AddressHash = string & { readonly [brand]: 'AddressHash' };

/** Of all networks of one address, narrowest first (`networksOf`): one of IPv4, three of IPv6. */
export type AddressHashes = readonly [AddressHash, ...AddressHash[]];
