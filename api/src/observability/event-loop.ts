import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** How long one look at the event loop lasts. Milliseconds. */
const WINDOW_MS = 1_000;
/** How often Node looks whether the loop is late. Milliseconds. */
const RESOLUTION_MS = 10;

/** Measures the longest delay of the event loop in each second, until it is stopped. */
export function measureEventLoop(metrics: Metrics): { readonly stop: () => void } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const windows = setInterval(() => {
    // Node counts the time between two looks; what goes beyond it is the delay.
    const beyondMs = Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
    metrics.observe('passerby_event_loop_delay_seconds', {}, beyondMs / 1_000);
    delay.reset();
  }, WINDOW_MS);
  windows.unref();
  return {
    stop: () => {
      clearInterval(windows);
      delay.disable();
    },
  };
}
