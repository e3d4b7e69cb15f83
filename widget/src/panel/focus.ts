/**
 * Moves the focus to the main element of the present screen, the one with `data-focus`; not to a text field on a touch
 * screen, where that would open the on-screen keyboard.
 */
export function focusScreen(panel: HTMLElement): void {
  const wanted = panel.querySelector<HTMLElement>('[data-focus]');
  const isField = wanted instanceof HTMLTextAreaElement && matchMedia('(pointer: coarse)').matches;
  (wanted && !isField ? wanted : panel).focus({ preventScroll: true });
}

/** Moves the focus in the same way within a part of the panel that was added later. */
export function focusIn(part: Element): void {
  part.querySelector<HTMLElement>('[data-focus]')?.focus({ preventScroll: true });
}
