/** Distance from the end below which a reader counts as being there. Pixels. */
const NEAR = 32;

/** Keeps a list that grows at its end scrolled to the end, but only if the reader is there. */
export class FollowEnd {
  isAtEnd = $state(true);
  #scroller: HTMLElement | undefined;
  /** Height when the list was last followed: growth since then is not scrolling by the reader. */
  #height = 0;

  /** `{@attach}` to the scrolling element, whose children grow. */
  readonly attach = (scroller: HTMLElement): (() => void) => {
    this.#scroller = scroller;
    const look = () => {
      this.isAtEnd = this.#height - scroller.scrollTop - scroller.clientHeight < NEAR;
    };
    const sizes = new ResizeObserver(() => {
      this.#height = scroller.scrollHeight;
      if (this.isAtEnd) this.toEnd();
    });
    sizes.observe(scroller);
    for (const child of scroller.children) sizes.observe(child);
    scroller.addEventListener('scroll', look, { passive: true });
    return () => {
      sizes.disconnect();
      scroller.removeEventListener('scroll', look);
    };
  };

  toEnd(): void {
    this.isAtEnd = true;
    this.#scroller?.scrollTo({ top: this.#scroller.scrollHeight, behavior: 'instant' });
  }
}
