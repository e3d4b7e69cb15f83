/** The number before the page's title while its tab is in the background. */
export class UnreadTitle {
  #shown = '';

  show(count: number): void {
    this.restore();
    this.#shown = `(${count}) `;
    document.title = this.#shown + document.title;
  }

  /** Takes back what was added, and nothing that the page has set since. */
  restore(): void {
    if (this.#shown && document.title.startsWith(this.#shown))
      document.title = document.title.slice(this.#shown.length);
    this.#shown = '';
  }
}
