import { ownDocument } from '../own-document.ts';

/** The number before the page's title while its tab is in the background. */
export class UnreadTitle {
  #shown = '';

  show(count: number): void {
    this.restore();
    this.#shown = `(${count}) `;
    setTitle(this.#shown + ownDocument('title'));
  }

  /** Takes back what was added, and nothing that the page has set since. */
  restore(): void {
    const title = ownDocument('title');
    if (this.#shown && title.startsWith(this.#shown)) setTitle(title.slice(this.#shown.length));
    this.#shown = '';
  }
}

const setTitle = (title: string) => Reflect.set(Document.prototype, 'title', title, document);
