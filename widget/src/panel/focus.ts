/**
 * Puts the focus on what the present screen is about: its element with `data-focus`. Not on a text field
 * of a touch screen, where that would raise the keyboard unasked.
 */
export function focusScreen(panel: HTMLElement): void {
  const wanted = panel.querySelector<HTMLElement>('[data-focus]');
  const isField = wanted instanceof HTMLTextAreaElement && matchMedia('(pointer: coarse)').matches;
  (wanted && !isField ? wanted : panel).focus({ preventScroll: true });
}

/** The same for a part of the panel that came later. */
export function focusIn(part: Element): void {
  part.querySelector<HTMLElement>('[data-focus]')?.focus({ preventScroll: true });
}
