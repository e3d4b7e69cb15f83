/** One `setTimeout` that is either running or not. Starting it again replaces it. */
export class Timer {
  #handle: ReturnType<typeof setTimeout> | null = null;

  get isRunning(): boolean {
    return this.#handle !== null;
  }

  start(delayMs: number, run: () => void): void {
    this.stop();
    this.#handle = setTimeout(() => {
      this.#handle = null;
      run();
    }, delayMs);
  }

  stop(): void {
    if (this.#handle !== null) clearTimeout(this.#handle);
    this.#handle = null;
  }
}
