/**
 * Listens to events of the window and, on their way down, of the document. Returns the undo. Does nothing where
 * there is no page. Without an `AbortSignal`: in jsdom that of Node is not the one its window takes.
 */
export function onPage(types: readonly string[], listener: (event: Event) => void): () => void {
  if (typeof window === 'undefined') return () => undefined;
  for (const type of types) window.addEventListener(type, listener, true);
  return () => {
    for (const type of types) window.removeEventListener(type, listener, true);
  };
}
