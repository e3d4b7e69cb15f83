/**
 * Keeps a full-screen panel inside the part of the window that the on-screen keyboard leaves: on phones the layout
 * viewport stays as it is and the visual viewport shrinks and moves. `{@attach}` to the panel.
 */
export function fitVisualViewport(panel: HTMLElement): () => void {
  const viewport = window.visualViewport;
  if (!viewport) return () => undefined;
  const fit = () => {
    // Somebody who zooms in with two fingers wants to see more of it, not a smaller panel.
    if (viewport.scale > 1.01) return;
    panel.style.setProperty('--viewport-block', `${viewport.height}px`);
    panel.style.setProperty('--viewport-top', `${viewport.offsetTop}px`);
  };
  fit();
  viewport.addEventListener('resize', fit);
  viewport.addEventListener('scroll', fit);
  return () => {
    viewport.removeEventListener('resize', fit);
    viewport.removeEventListener('scroll', fit);
  };
}
