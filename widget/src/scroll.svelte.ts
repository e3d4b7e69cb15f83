/** Nearer to the end than this counts as being there. Pixels. */
const NEAR = 32;

/** Keeps a list that grows at its end scrolled there, but only for a reader who is there. */
export class FollowEnd {
  isAtEnd = $state(true);
  #scroller: HTMLElement | undefined;
  /** As of when the list was last followed: growth since then is not the reader's scrolling. */
  #height = 0;

  /** `{@attach}` to the scrolling element; its children are what grows. */
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
