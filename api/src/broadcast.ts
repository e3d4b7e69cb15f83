import type { PushName, PushPayload } from '@passerby/sdk/protocol';
import type { SiteId } from './domain/ids.ts';

/** Pushes to several visitors of this node at once. One visitor is told through their `VisitorConnection`. */
export interface Broadcast {
  /**
   * Tells every visitor of a site. Returns `false` if some were left out because they read too slowly, which only
   * happens with pushes that may be lost.
   */
  toSite<Name extends PushName>(site: SiteId, name: Name, payload: PushPayload<Name>): boolean;
  /** Tells every visitor of this node. */
  toAll<Name extends PushName>(name: Name, payload: PushPayload<Name>): void;
}
