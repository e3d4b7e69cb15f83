import { onPage } from '../internal/on-page.ts';

/**
 * Calls `wake` when waiting any longer makes no sense: the network is back, the page is shown again.
 * `isReturn`: the page was in the back/forward cache, and another page of its tab may have gone on meanwhile.
 * Returns the undo. Does nothing where there is no page.
 */
export function onWake(wake: (isReturn: boolean) => void): () => void {
  let isCached = false;
  // On return the page is visible before it is shown.
  return onPage(['online', 'pageshow', 'pagehide', 'visibilitychange'], (event) => {
    if (event.type === 'pagehide') isCached = (event as PageTransitionEvent).persisted;
    else if (event.type !== 'visibilitychange' || document.visibilityState === 'visible') {
      const isReturn = isCached;
      isCached = false;
      wake(isReturn);
    }
  });
}
