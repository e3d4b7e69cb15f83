import type { StoreFault } from '@passerby/sdk/protocol';
import { monotonicClock, type MonotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';
import { STORE_WELL, type StoreStanding } from './readiness.ts';

/** Maximum duration of a lease renewal before the store counts as too slow. Milliseconds. */
const LATE_MS = 500;
/**
 * Time for which the answer that no right is missing is cached: a second less than promised, since the readiness answer
 * is cached for that long. Milliseconds.
 */
const RIGHTS_STAND_MS = 4_000;
/**
 * Maximum time to wait for an answer about rights. In a Cluster a single server answers, and if it is unreachable the
 * others go on without it. Milliseconds.
 */
const RIGHTS_ANSWER_MS = 200;
/** Time for which the last fault that a server reported explains why it cannot be reached. Milliseconds. */
const EXPLAINS_MS = 10_000;

/** Faults that mean only that there was no answer. */
const VAGUE: ReadonlySet<StoreFault> = new Set(['CLOSED', 'TIMEOUT']);
/** Faults that a server itself reports. Some make the client reconnect, and there is no answer meanwhile. */
const SPOKEN: ReadonlySet<StoreFault> = new Set([
  ...(['READONLY', 'OOM', 'MISCONF', 'NOREPLICAS', 'MASTERDOWN', 'CLUSTERDOWN', 'LOADING', 'BUSY'] as const),
  ...(['NOAUTH', 'WRONGPASS', 'NOPERM', 'DATABASE'] as const),
]);

/** Parts of the service that know the state of the store. */
export interface StoreWitnesses {
  readonly backend: {
    /** True if the sites are on several servers, so that no single probe stands for all of them. */
    readonly isSharded: boolean;
    reachFault(): StoreFault | null;
    probe(): Promise<unknown>;
    /** Resolves to a command that the user may not run; `null` if there is none. Rejects if that cannot be determined. */
    missingRight(): Promise<string | null>;
    faultOf(thrown: unknown): StoreFault;
  };
  readonly heartbeat: {
    standing(
      lateMs: number,
      since: number,
    ): {
      readonly tried: number;
      readonly failing: number;
      readonly late: number;
      readonly unproven: number;
      readonly faults: readonly StoreFault[];
    };
  };
  /** Called with what a failed probe threw. */
  readonly onFailure: (thrown: unknown) => void;
  /** Called with a command once its right is found to be missing. */
  readonly onMissingRight: (command: string) => void;
  /** The clock of the heartbeat. */
  readonly clock?: MonotonicClock;
}

/** Faults found last. Times as `clock` tells them. */
interface Refusal {
  readonly faults: readonly StoreFault[];
  readonly foundAt: number;
  /** Time at which these faults themselves were found, and not only a fault that they explain. */
  readonly spokenAt: number;
}

/**
 * Watches whether the store takes writes. Lease renewals show it, which write on each site every second; while no site
 * has visitors, a probe does. In a Cluster the sites are on several servers: while more than half of them can be served
 * the process goes on, since no other process could serve the rest. A store that took no writes is available again once
 * a write that began later has succeeded. Such a write needs only few of the rights that scripts need: the others are
 * checked now and then.
 */
export class StoreWatch {
  readonly #witnesses: StoreWitnesses;
  readonly #clock: MonotonicClock;
  #refused: Refusal | null = null;
  #missingRight: string | null = null;
  #rightsKnownAt = -Infinity;
  #askingRights: Promise<void> | null = null;

  constructor(witnesses: StoreWitnesses) {
    this.#witnesses = witnesses;
    this.#clock = witnesses.clock ?? monotonicClock;
  }

  async standing(): Promise<StoreStanding> {
    const found = await this.#look();
    // Nothing is wrong any more, and nothing was written yet.
    if (found === 'unproven') return { isAvailable: false, faults: this.#refused?.faults ?? ['UNKNOWN'] };
    if (found.isAvailable) {
      this.#refused = null;
      return (await this.#isRightMissing()) ? { isAvailable: false, faults: ['NOPERM'] } : found;
    }
    this.#refused = this.#refusalOf(found.faults);
    return { isAvailable: false, faults: this.#refused.faults };
  }

  /** Returns these faults, or those that a server reported a moment ago if there was only silence since. */
  #refusalOf(faults: readonly StoreFault[]): Refusal {
    const [foundAt, known] = [this.#clock(), this.#refused];
    const isExplained =
      known !== null &&
      foundAt - known.spokenAt <= EXPLAINS_MS &&
      known.faults.some((fault) => SPOKEN.has(fault)) &&
      faults.every((fault) => VAGUE.has(fault));
    return isExplained ? { ...known, foundAt } : { faults, foundAt, spokenAt: foundAt };
  }

  async #look(): Promise<StoreStanding | 'unproven'> {
    const { backend, heartbeat } = this.#witnesses;
    const reachFault = backend.reachFault();
    if (reachFault !== null) return { isAvailable: false, faults: [reachFault] };
    const { tried, failing, late, unproven, faults } = heartbeat.standing(LATE_MS, this.#refused?.foundAt ?? -Infinity);
    if (tried === 0) return this.#probe();
    const standing = {
      isAvailable: (failing + late) * 2 < tried,
      faults: late > 0 ? [...new Set<StoreFault>([...faults, 'TIMEOUT'])] : faults,
    };
    if (!standing.isAvailable || this.#refused === null) return standing;
    if ((failing + late + unproven) * 2 >= tried) return 'unproven';
    // Leases have a connection of their own, which may have found the right server sooner.
    return backend.isSharded ? standing : this.#probe();
  }

  async #isRightMissing(): Promise<boolean> {
    const isKnown = this.#missingRight === null && this.#clock() - this.#rightsKnownAt < RIGHTS_STAND_MS;
    if (!isKnown) this.#askingRights ??= this.#askRights();
    // What comes later counts at the next look.
    if (this.#askingRights !== null) await within(this.#askingRights, RIGHTS_ANSWER_MS, () => undefined);
    return this.#missingRight !== null;
  }

  async #askRights(): Promise<void> {
    const { backend, onMissingRight } = this.#witnesses;
    this.#rightsKnownAt = this.#clock();
    const before = this.#missingRight;
    try {
      this.#missingRight = await backend.missingRight();
    } catch (thrown) {
      // Anything else says nothing about rights, and shows where it matters.
      if (backend.faultOf(thrown) === 'NOPERM') this.#missingRight = 'EVALSHA';
    } finally {
      this.#askingRights = null;
    }
    if (this.#missingRight !== null && this.#missingRight !== before) onMissingRight(this.#missingRight);
  }

  async #probe(): Promise<StoreStanding> {
    const { backend, onFailure } = this.#witnesses;
    try {
      await backend.probe();
      return STORE_WELL;
    } catch (thrown) {
      onFailure(thrown);
      return { isAvailable: false, faults: [backend.faultOf(thrown)] };
    }
  }
}
