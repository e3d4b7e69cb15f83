import { onPage } from './on-page.ts';
import { Timer } from './timer.ts';

/**
 * A timer for what is waited for. While the page stands still (prerendered, frozen, or in the back/forward
 * cache) nothing that it waits for could arrive: then so does the timer, and begins anew when the page goes on.
 */
export class AwakeTimer {
  readonly #timer = new Timer();
  #stopListening: (() => void) | null = null;

  get isRunning(): boolean {
    return this.#stopListening !== null;
  }

  /** Starting it again replaces it. */
  start(delayMs: number, run: () => void): void {
    this.stop();
    const turn = ({ type }: { readonly type: string }): void => {
      this.#timer.stop();
      if (type === 'freeze' || type === 'pagehide' || isPrerendered()) return;
      this.#timer.start(delayMs, () => {
        this.stop();
        run();
      });
    };
    this.#stopListening = onPage(['freeze', 'pagehide', 'resume', 'pageshow', 'prerenderingchange'], turn);
    turn({ type: '' });
  }

  stop(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    this.#timer.stop();
  }
}

export function isPrerendered(): boolean {
  return typeof document !== 'undefined' && (document as { prerendering?: boolean }).prerendering === true;
}
