/** A place that outlives the page and dies with the tab. Holds one text. */
export interface TabStorage {
  read(): string | null;
  /** Returns whether there was room for it. */
  write(text: string): boolean;
  remove(): void;
}

/** Storage in which nothing outlives the page: for Node, and browsers that block storage. Nothing ever fits. */
export const noStorage: TabStorage = {
  read: () => null,
  write: () => false,
  remove: () => undefined,
};

/** Names what tabs of a browser agree by: the chat of a site and scope. */
export function tabKey(site: string, scope: string): string {
  return `passerby:${site}:${scope}`;
}

/** Names what a page keeps in its tab. A frame of one origin has the tab's storage in common with the page around it. */
export function storageKey(site: string, scope: string): string {
  const isFrame = typeof window !== 'undefined' && window !== window.top;
  return tabKey(site, scope) + (isFrame ? '@frame' : '');
}

/** The browser's `sessionStorage`, where there is one that may be used. Any use of a blocked one throws, also of one that is blocked later. */
export function tabStorage(key: string): TabStorage {
  let storage: Storage;
  // Node has a `sessionStorage` too, and no tabs.
  if (typeof document === 'undefined') return noStorage;
  try {
    storage = sessionStorage;
    // An Android WebView may have none; tools for consent take it away, or make it throw.
    storage.getItem(key);
  } catch {
    // Blocked: the chat lives as long as the page.
    return noStorage;
  }
  return {
    read: () => attempt(() => storage.getItem(key), null),
    write: (text) =>
      attempt(() => {
        storage.setItem(key, text);
        return true;
      }, false),
    remove: () => {
      attempt(() => storage.removeItem(key), undefined);
    },
  };
}

/** Uses the storage; returns `otherwise` if it is full or was blocked meanwhile. */
function attempt<Result>(use: () => Result, otherwise: Result): Result {
  try {
    return use();
  } catch {
    // The chat goes on without it, and a reload then begins anew.
    return otherwise;
  }
}
