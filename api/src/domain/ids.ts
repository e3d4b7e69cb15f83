declare const brand: unique symbol;

/**
 * Id of a tenant in one mode, whose visitors may meet. Known to the service only: pages name a site by its publishable
 * key.
 */
export type SiteId = string & { readonly [brand]: 'SiteId' };

/** Id of a visitor's session, known to the service only: it is never sent to clients. */
export type SessionId = string & { readonly [brand]: 'SessionId' };

/** Id of one process of the service. */
export type NodeId = string & { readonly [brand]: 'NodeId' };

/** Salted hash of a network a visitor comes from; see `privacy/address-hash.ts`. */
export type AddressHash = string & { readonly [brand]: 'AddressHash' };

/** Hashes of all networks of one address, narrowest first (`networksOf`): one for IPv4, three for IPv6. */
export type AddressHashes = readonly [AddressHash, ...AddressHash[]];
