import { ownDocument } from '../own-document.ts';

/** Number of unread messages, shown before the page's title while its tab is in the background. */
export class UnreadTitle {
  #shown = '';

  show(count: number): void {
    this.restore();
    this.#shown = `(${count}) `;
    setTitle(this.#shown + ownDocument('title'));
  }

  /** Removes the number again; a title that the page has set since stays. */
  restore(): void {
    const title = ownDocument('title');
    if (this.#shown && title.startsWith(this.#shown)) setTitle(title.slice(this.#shown.length));
    this.#shown = '';
  }
}

const setTitle = (title: string) => Reflect.set(Document.prototype, 'title', title, document);
