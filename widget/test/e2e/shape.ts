import type { Chat } from '@passerby/sdk';

const SEEN = {
  isWithin: true,
  isOnTop: true,
  textTransform: 'none',
  letterSpacing: 'normal',
  textIndent: '0px',
  opacity: '1',
  visibility: 'visible',
};
export const LAUNCHER = { ...SEEN, size: [60, 60] };
export const PANEL = { ...SEEN, size: [376, 584] };

/** The messages so far, as a visitor with the SDK has them. */
export const texts = (chat: Chat): string[] => {
  const { state } = chat.snapshot();
  return state.status === 'chatting' ? state.messages.map(({ text }) => text) : [];
};

/** Measures a part of the chat: whether it is in the window and on top there, and what it inherited. Runs in the page. */
export function shapeOf([part, zoom]: readonly [string, number]) {
  const chat = Document.prototype.querySelector.call(document, 'passerby-chat')!;
  const found = chat.shadowRoot!.querySelector(part)!;
  const { left, top, right, bottom, width, height } = found.getBoundingClientRect();
  const { textTransform, letterSpacing, textIndent, opacity, visibility } = getComputedStyle(found);
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  return {
    size: [width, height].map((side) => Math.round(side / zoom)),
    isWithin: left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight,
    isOnTop: document.elementFromPoint(x, y) === chat,
    textTransform,
    letterSpacing,
    textIndent,
    opacity,
    visibility,
  };
}

/** Returns whether the focus is in the panel. Runs in the page. */
export function isFocusInPanel(): boolean {
  const { shadowRoot } = Document.prototype.querySelector.call(document, 'passerby-chat')!;
  return shadowRoot!.querySelector('.panel')!.contains(shadowRoot!.activeElement);
}
