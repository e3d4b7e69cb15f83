/**
 * Calls `wake` when waiting any longer makes no sense: the network is back, the page is shown again.
 * `isReturn`: the page was in the back/forward cache, and another page of its tab may have gone on meanwhile.
 * Returns the undo. Does nothing where there is no page.
 */
export function onWake(wake: (isReturn: boolean) => void): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => undefined;
  const listening = new AbortController();
  const { signal } = listening;
  let isCached = false;
  const awake = (): void => {
    const isReturn = isCached;
    isCached = false;
    wake(isReturn);
  };
  const whenHidden = ({ persisted }: PageTransitionEvent): void => {
    isCached = persisted;
  };
  // On return this comes before `pageshow`.
  const whenVisible = (): void => {
    if (document.visibilityState === 'visible') awake();
  };
  window.addEventListener('online', awake, { signal });
  window.addEventListener('pageshow', awake, { signal });
  window.addEventListener('pagehide', whenHidden, { signal });
  document.addEventListener('visibilitychange', whenVisible, { signal });
  return () => {
    listening.abort();
  };
}
