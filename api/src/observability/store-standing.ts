import type { StoreFault } from '@passerby/sdk/protocol';
import { STORE_WELL, type StoreStanding } from './readiness.ts';

/** Time a renewal of a lease may take before the store counts as too slow. Milliseconds. */
const LATE_MS = 500;

/** Parts of the service that know how the store is. */
export interface StoreWitnesses {
  readonly backend: {
    reachFault(): StoreFault | null;
    probe(): Promise<unknown>;
    faultOf(thrown: unknown): StoreFault;
  };
  readonly heartbeat: {
    standing(lateMs: number): {
      readonly tried: number;
      readonly failing: number;
      readonly late: number;
      readonly faults: readonly StoreFault[];
    };
  };
  /** Called with what a failed probe threw. */
  readonly onFailure: (thrown: unknown) => void;
}

/**
 * Whether the store takes writes. Renewals of leases say so, which are a write on each site every second; where there is
 * no site with visitors, a probe does. In a Cluster the sites are on several servers: as long as more than half of them
 * can be served the process goes on, since no other process could serve the rest.
 */
export async function storeStanding({ backend, heartbeat, onFailure }: StoreWitnesses): Promise<StoreStanding> {
  const reachFault = backend.reachFault();
  if (reachFault !== null) return { isAvailable: false, faults: [reachFault] };
  const { tried, failing, late, faults } = heartbeat.standing(LATE_MS);
  if (tried > 0) {
    return {
      isAvailable: (failing + late) * 2 < tried,
      faults: late > 0 ? [...new Set<StoreFault>([...faults, 'TIMEOUT'])] : faults,
    };
  }
  try {
    await backend.probe();
    return STORE_WELL;
  } catch (thrown) {
    onFailure(thrown);
    return { isAvailable: false, faults: [backend.faultOf(thrown)] };
  }
}
