import { READINESS_REASONS, STORE_FAULTS } from '@passerby/sdk/protocol';
import type { Metrics } from './metrics.ts';
import type { ReadinessCheck } from './readiness.ts';

export interface ReadParts {
  readonly readiness: ReadinessCheck;
  readonly held: () => {
    readonly connections: number;
    readonly sockets: number;
    readonly seats: number;
    readonly waits: number;
  };
}

/** Registers readings of state that the service has anyway, made at each scrape. */
export function readService(metrics: Metrics, { readiness, held }: ReadParts): void {
  metrics.read('passerby_connections', () => [[{}, held().connections]]);
  metrics.read('passerby_sessions', () => [[{}, held().sockets]]);
  metrics.read('passerby_conversation_sides', () => [[{}, held().seats]]);
  metrics.read('passerby_waiting', () => [[{}, held().waits]]);
  metrics.read('passerby_ready', async () => [[{}, (await readiness.look()).isReady ? 1 : 0]]);
  metrics.read('passerby_not_ready', async () => {
    const { reasons } = await readiness.look();
    return READINESS_REASONS.map((reason) => [{ reason }, reasons.includes(reason) ? 1 : 0] as const);
  });
  metrics.read('passerby_store_fault', async () => {
    const { storeFaults } = await readiness.look();
    return STORE_FAULTS.map((fault) => [{ fault }, storeFaults.includes(fault) ? 1 : 0] as const);
  });
}
