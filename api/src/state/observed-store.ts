import { performance } from 'node:perf_hooks';
import { Refusal } from '../errors.ts';
import type { ResumeOutcome, StateStore } from './state-store.ts';
import type { Metrics } from '../observability/metrics.ts';
import { STORE_OPERATIONS, type StoreOperation } from '../observability/store-operations.ts';

type Call = (...args: unknown[]) => Promise<unknown>;

/**
 * The same store; how long each call took and what came of it is measured. `onFailure` is told what was thrown by a call
 * whose outcome is unknown.
 */
export function observedStore(
  store: StateStore,
  metrics: Metrics,
  onFailure: (thrown: unknown) => void = () => undefined,
): StateStore {
  const methods = store as unknown as Record<StoreOperation, Call>;
  const observed = (transition: StoreOperation): Call => {
    return async (...args) => {
      const since = performance.now();
      try {
        const outcome = await methods[transition](...args);
        countOutcome(metrics, transition, outcome);
        return outcome;
      } catch (thrown) {
        if (!isAnswer(thrown)) {
          countFailure(metrics, transition);
          onFailure(thrown);
        }
        throw thrown;
      } finally {
        metrics.observe('passerby_store_seconds', { transition }, (performance.now() - since) / 1_000);
      }
    };
  };
  // One of the contract that the list forgets does not compile: the result would be no store.
  const calls = Object.fromEntries(
    STORE_OPERATIONS.map((transition) => [transition, observed(transition)]),
  ) as unknown as {
    [Name in StoreOperation]: StateStore[Name];
  };
  return { kind: store.kind, ...calls };
}

function countOutcome(metrics: Metrics, transition: StoreOperation, outcome: unknown): void {
  if (transition === 'open') metrics.count('passerby_sessions_opened_total', {});
  if (transition === 'resume') metrics.count('passerby_resumes_total', { outcome: (outcome as ResumeOutcome).kind });
}

function countFailure(metrics: Metrics, transition: StoreOperation): void {
  metrics.count('passerby_store_failures_total', { transition });
  if (transition === 'resume') metrics.count('passerby_resumes_total', { outcome: 'failed' });
}

/** A refusal is an outcome like any other, unless it says that the outcome is unknown. */
function isAnswer(thrown: unknown): boolean {
  return thrown instanceof Refusal && thrown.code !== 'unavailable';
}
