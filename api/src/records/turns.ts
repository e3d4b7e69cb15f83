/** Mutual exclusion: hands one resource to its callers one after another, in the order of their calls. */
export class Turns {
  #isTaken = false;
  readonly #waiting: (() => void)[] = [];

  /** Resolves to whether the resource was acquired within `maxMs` milliseconds. Its holder must call `pass`. */
  async take(maxMs: number): Promise<boolean> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return true;
    }
    return new Promise((resolve) => {
      const got = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(got), 1);
        resolve(false);
      }, maxMs);
      this.#waiting.push(got);
    });
  }

  /** Hands the resource to the next caller. */
  pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }
}
