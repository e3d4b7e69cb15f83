import { type Clock, type MonotonicClock, monotonicClock, systemClock } from '../clock.ts';
import type { SiteId } from '../domain/ids.ts';

/** Interval at which each lease is renewed. Milliseconds. */
const BEAT_EVERY_MS = 1_000;
/** Maximum number of concurrent renewals: more sites than this take turns. */
const UNDER_WAY_MAX = 256;
/** Age of the last renewal beyond which a lease does not count as held: a third of the lease. Milliseconds. */
const FRESH_MS = 5_000;

export interface HeartbeatParts<Fault> {
  /** Renews this node's lease on a site; settles in bounded time. */
  readonly beat: (site: SiteId) => Promise<void>;
  /** Sites this node holds leases on. */
  readonly sites: () => readonly SiteId[];
  readonly faultOf: (thrown: unknown) => Fault;
  /** Milliseconds between two renewals of a lease. */
  readonly everyMs?: number;
  readonly underWayMax?: number;
  readonly clock?: MonotonicClock;
  readonly dates?: Clock;
}

/** Latest renewals, counted by site. */
export interface LeaseStanding<Fault> {
  /** Sites with at least one attempt to renew their lease. */
  readonly tried: number;
  /** Sites whose last renewal failed. */
  readonly failing: number;
  /** Sites whose renewal has been in progress for longer than `lateMs`. */
  readonly late: number;
  /** Sites without a fault whose last renewal began before `since`. */
  readonly unproven: number;
  /** Reasons of the failing ones, each once. */
  readonly faults: readonly Fault[];
}

/** Renewals of one lease. Times by `clock`. */
interface Lease<Fault> {
  /** Start of the last attempt. */
  triedAt: number;
  /** Start of the last successful attempt, by both clocks, since one of them stops while the machine sleeps. */
  heldAt: { readonly monotonic: number; readonly wall: number } | null;
  fault: Fault | null;
  underWay: Promise<void> | null;
}

/**
 * Renews this node's lease on each of its sites, on a timer that waits for nothing else the node does. Once a lease
 * lapses, the node counts as dead, and all its visitors as disconnected.
 */
export class Heartbeat<Fault> {
  readonly #parts: HeartbeatParts<Fault>;
  readonly #clock: MonotonicClock;
  readonly #dates: Clock;
  readonly #leases = new Map<SiteId, Lease<Fault>>();
  /** Sites due for renewal; the one tried least recently is last. */
  #due: SiteId[] = [];
  #underWay = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: HeartbeatParts<Fault>) {
    this.#parts = parts;
    this.#clock = parts.clock ?? monotonicClock;
    this.#dates = parts.dates ?? systemClock;
    this.#timer = setInterval(() => this.tick(), parts.everyMs ?? BEAT_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#due = [];
  }

  /** Renews all leases, least recently tried first, except those whose renewal is in progress. */
  tick(): void {
    const sites = this.#parts.sites();
    const held = new Set(sites);
    for (const site of this.#leases.keys()) if (!held.has(site)) this.#leases.delete(site);
    const triedAt = (site: SiteId) => this.#leases.get(site)?.triedAt ?? -Infinity;
    this.#due = [...sites].sort((a, b) => triedAt(b) - triedAt(a));
    this.#fill();
  }

  /**
   * Resolves once the lease on a site is known to be held: at once if it was renewed a moment ago, otherwise after a
   * renewal. Rejects if that fails. Await it before any operation that treats visitors of a lapsed lease as
   * disconnected.
   */
  async held(site: SiteId): Promise<void> {
    const heldAt = this.#leases.get(site)?.heldAt ?? null;
    const isFresh =
      heldAt !== null && this.#clock() - heldAt.monotonic < FRESH_MS && this.#dates() - heldAt.wall < FRESH_MS;
    if (!isFresh) await this.#renew(site);
  }

  /**
   * Returns the state of the latest renewals. One in progress for `lateMs` counts as late, one begun before `since` as
   * unproven.
   */
  standing(lateMs: number, since = -Infinity): LeaseStanding<Fault> {
    const now = this.#clock();
    const leases = [...this.#leases.values()].filter(({ heldAt, fault, triedAt }) => {
      return heldAt !== null || fault !== null || now - triedAt > lateMs;
    });
    const failing = leases.filter(({ fault }) => fault !== null);
    const isLate = ({ underWay, triedAt }: Lease<Fault>) => underWay !== null && now - triedAt > lateMs;
    const sound = leases.filter((lease) => lease.fault === null && !isLate(lease));
    return {
      tried: leases.length,
      failing: failing.length,
      late: leases.length - failing.length - sound.length,
      unproven: sound.filter(({ heldAt }) => heldAt === null || heldAt.monotonic < since).length,
      faults: [...new Set(failing.map(({ fault }) => fault!))],
    };
  }

  #fill(): void {
    const max = this.#parts.underWayMax ?? UNDER_WAY_MAX;
    while (this.#underWay < max && this.#due.length > 0) {
      const site = this.#due.pop()!;
      if ((this.#leases.get(site)?.underWay ?? null) !== null) continue;
      this.#underWay++;
      this.#renew(site)
        // What failed is kept with the lease, and tried again at the next turn.
        .catch(() => undefined)
        .finally(() => {
          this.#underWay--;
          this.#fill();
        });
    }
  }

  #renew(site: SiteId): Promise<void> {
    const known = this.#leases.get(site);
    if (known !== undefined && known.underWay !== null) return known.underWay;
    const lease = known ?? { triedAt: 0, heldAt: null, fault: null, underWay: null };
    this.#leases.set(site, lease);
    // Cleared from here, after it was set: an attempt may fail before it is waited for.
    lease.underWay = this.#attempt(site, lease).finally(() => (lease.underWay = null));
    return lease.underWay;
  }

  async #attempt(site: SiteId, lease: Lease<Fault>): Promise<void> {
    const begun = { monotonic: this.#clock(), wall: this.#dates() };
    lease.triedAt = begun.monotonic;
    try {
      await this.#parts.beat(site);
      lease.heldAt = begun;
      lease.fault = null;
    } catch (thrown) {
      lease.fault = this.#parts.faultOf(thrown);
      throw thrown;
    }
  }
}
