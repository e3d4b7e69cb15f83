import { Timer } from './timer.ts';

const TURNS = ['freeze', 'pagehide', 'resume', 'pageshow', 'prerenderingchange'];

/**
 * A timer for what is waited for. While the page stands still (prerendered, frozen, or in the back/forward
 * cache) nothing that it waits for could arrive: then so does the timer, and begins anew when the page goes on.
 */
export class AwakeTimer {
  readonly #timer = new Timer();
  #listening: AbortController | null = null;

  get isRunning(): boolean {
    return this.#listening !== null;
  }

  /** Starting it again replaces it. */
  start(delayMs: number, run: () => void): void {
    this.stop();
    const { signal } = (this.#listening = new AbortController());
    const turn = ({ type }: { readonly type?: string }): void => {
      this.#timer.stop();
      if (type === 'freeze' || type === 'pagehide' || isPrerendered()) return;
      this.#timer.start(delayMs, () => {
        this.stop();
        run();
      });
    };
    // Those of the document come by the window on their way down.
    if (typeof window !== 'undefined')
      for (const type of TURNS) window.addEventListener(type, turn, { capture: true, signal });
    turn({});
  }

  stop(): void {
    this.#listening?.abort();
    this.#listening = null;
    this.#timer.stop();
  }
}

function isPrerendered(): boolean {
  return typeof document !== 'undefined' && (document as { prerendering?: boolean }).prerendering === true;
}
