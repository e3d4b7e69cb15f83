import { type MonotonicClock, monotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';
import type { SiteId } from '../domain/ids.ts';

/** Steps of a background round that are done site by site. */
export type SiteStep = 'sweep' | 'repair' | 'compare' | 'strays' | 'silence' | 'online';

const BOUNDS = {
  /** Sites in order that one step works for at once, and sites in doubt that all steps together do. */
  atOnceMax: 16,
  /** Time after which the next site gets its turn although this one has not answered. Milliseconds. */
  patienceMs: 250,
  /** Turns under way from which on no further one is left behind unanswered. */
  underWayMax: 256,
  /** Time after a failure before the step is tried again for that site. Milliseconds. */
  restMs: 2_000,
} as const;

export interface SiteTurnsParts {
  /** Told of every turn that failed. */
  readonly failed: (thrown: unknown, site: SiteId) => void;
  readonly clock?: MonotonicClock;
  readonly bounds?: { readonly [Name in keyof typeof BOUNDS]?: number };
}

/** Work of one step for one site. Settles in bounded time. */
type Work = (site: SiteId) => Promise<void>;

/** A turn that is not simply over. */
type Turn =
  | { readonly kind: 'queued' }
  | { readonly kind: 'under way'; isDoubtful: boolean }
  | { readonly kind: 'failed'; readonly restsUntil: number };

interface BegunTurn {
  readonly turn: Extract<Turn, { kind: 'under way' }>;
  /** Resolves once the turn is over, however it ended. */
  readonly over: Promise<void>;
}

/**
 * Turns of the sites in each step of a background round. A site is in doubt while one of its steps failed last or is late.
 * Sites in doubt get their turns apart, so that however many do not answer, the others wait for none of them.
 */
export class SiteTurns {
  readonly #failed: SiteTurnsParts['failed'];
  readonly #clock: MonotonicClock;
  readonly #bounds: Readonly<Record<keyof typeof BOUNDS, number>>;
  readonly #turns = new Map<SiteStep, Map<SiteId, Turn>>();
  /** Turns that wait, by site in doubt; one of a site at a time. */
  readonly #queues = new Map<SiteId, (() => BegunTurn)[]>();
  /** Sites of `#queues` with no turn under way from there, the next one first. */
  readonly #ready: SiteId[] = [];
  #doubtfulUnderWay = 0;
  #underWay = 0;
  #isStopped = false;

  constructor(parts: SiteTurnsParts) {
    this.#failed = parts.failed;
    this.#clock = parts.clock ?? monotonicClock;
    this.#bounds = { ...BOUNDS, ...parts.bounds };
  }

  /**
   * Gives each site its turn in a step, unless the one before is not over or failed a moment ago. Resolves once each site
   * that is not in doubt has had its turn, or has been waited for long enough. Never rejects: `failed` is told.
   */
  async each(step: SiteStep, sites: Iterable<SiteId>, work: Work): Promise<void> {
    const turns = this.#turnsOf(step);
    const left = new Set(sites);
    for (const [site, turn] of turns) if (this.#isRested(turn) && !left.has(site)) turns.delete(site);
    const next = left.values();
    const lane = async () => {
      for (const site of next) {
        if (this.#isStopped) return;
        const turn = turns.get(site);
        if (turn !== undefined && !this.#isRested(turn)) continue;
        if (this.#isInDoubt(site)) this.#queue(turns, site, work);
        else await this.#waitFor(this.#begin(turns, site, work, false));
      }
    };
    await Promise.all(Array.from({ length: Math.min(left.size, this.#bounds.atOnceMax) }, lane));
  }

  /** Begins no further turn. */
  stop(): void {
    this.#isStopped = true;
    this.#queues.clear();
    this.#ready.length = 0;
  }

  #turnsOf(step: SiteStep): Map<SiteId, Turn> {
    const known = this.#turns.get(step) ?? new Map<SiteId, Turn>();
    this.#turns.set(step, known);
    return known;
  }

  #isRested(turn: Turn): boolean {
    return turn.kind === 'failed' && this.#clock() >= turn.restsUntil;
  }

  #isInDoubt(site: SiteId): boolean {
    for (const turns of this.#turns.values()) {
      const turn = turns.get(site);
      if (turn !== undefined && (turn.kind !== 'under way' || turn.isDoubtful)) return true;
    }
    return false;
  }

  /** Puts a turn at the end of the site's queue. */
  #queue(turns: Map<SiteId, Turn>, site: SiteId, work: Work): void {
    turns.set(site, { kind: 'queued' });
    const begin = () => this.#begin(turns, site, work, true);
    const queued = this.#queues.get(site);
    if (queued === undefined) {
      this.#queues.set(site, [begin]);
      this.#ready.push(site);
    } else queued.push(begin);
    this.#fill();
  }

  #fill(): void {
    while (this.#doubtfulUnderWay < this.#bounds.atOnceMax && this.#ready.length > 0) {
      const site = this.#ready.shift()!;
      const begun = this.#queues.get(site)!.shift()!();
      this.#doubtfulUnderWay++;
      void this.#waitFor(begun).then(() => {
        this.#doubtfulUnderWay--;
        this.#fill();
      });
      void begun.over.then(() => {
        const queued = this.#queues.get(site);
        if (queued === undefined || queued.length === 0) this.#queues.delete(site);
        else this.#ready.push(site);
        this.#fill();
      });
    }
  }

  #begin(turns: Map<SiteId, Turn>, site: SiteId, work: Work, isDoubtful: boolean): BegunTurn {
    const turn: BegunTurn['turn'] = { kind: 'under way', isDoubtful };
    turns.set(site, turn);
    return { turn, over: this.#do(turns, site, work) };
  }

  async #do(turns: Map<SiteId, Turn>, site: SiteId, work: Work): Promise<void> {
    this.#underWay++;
    try {
      await work(site);
      turns.delete(site);
    } catch (thrown) {
      turns.set(site, { kind: 'failed', restsUntil: this.#clock() + this.#bounds.restMs });
      this.#failed(thrown, site);
    } finally {
      this.#underWay--;
    }
  }

  /** Resolves once a turn is over, or is late and may be left behind. */
  async #waitFor({ turn, over }: BegunTurn): Promise<void> {
    await within(over, this.#bounds.patienceMs, async () => {
      turn.isDoubtful = true;
      if (this.#underWay >= this.#bounds.underWayMax) await over;
    });
  }
}
