import type { Heartbeat } from '../cluster/heartbeat.ts';
import type { NoticeDispatcher } from '../sessions/notice-dispatcher.ts';
import type { WaitStatusNotifier } from '../sessions/wait-status.ts';
import type { Salts } from '../privacy/salts.ts';
import type { OnlineCount } from '../sessions/online-count.ts';
import type { Reconciler } from '../sessions/reconciler.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SiteActivity } from '../sessions/site-activity.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { RepairPace } from '../state/repair-pace.ts';
import type { SiteTurns } from '../state/site-turns.ts';
import type { NodeId, SiteId } from '../domain/ids.ts';
import type { RepairOutcome, StateStore } from '../state/state-store.ts';

/** Bounds of one site's sweep in a round: transitions in a call, so that others get their turn in between; and calls. */
const SWEEP = { max: 50, callsMax: 20 } as const;

export interface MaintenanceParts {
  readonly everyMs: number;
  readonly nodeId: NodeId;
  readonly store: Pick<StateStore, 'sweep' | 'repair'>;
  readonly sites: Pick<SiteDirectory, 'rulesOf'>;
  readonly sessions: Pick<Sessions, 'sweep'>;
  readonly activity: Pick<SiteActivity, 'nextRound' | 'keep'>;
  readonly heartbeat: Pick<Heartbeat<unknown>, 'held'>;
  readonly turns: SiteTurns;
  readonly pace: Pick<RepairPace, 'of' | 'noteOutcome' | 'keepOnly'>;
  /** Told of every repair that put something right. */
  readonly repaired: (site: SiteId, mended: RepairOutcome['mended']) => void;
  readonly salts: Pick<Salts, 'refresh'>;
  readonly reconciler: Pick<Reconciler, 'round'>;
  readonly waits: Pick<WaitStatusNotifier, 'round'>;
  readonly dispatcher: Pick<NoticeDispatcher, 'dispatch' | 'endSilent'>;
  readonly online: Pick<OnlineCount, 'tellChanges'>;
  /** Told of everything that failed apart from the turns of sites. */
  readonly failed: (thrown: unknown) => void;
}

/**
 * Looks at an interval for what is due: lapsed grace, silent conversations, missed notices, a changed online count. What
 * takes longer than the interval is not begun again before it is over, and keeps nothing else waiting. Returns the undo.
 */
export function startMaintenance(parts: MaintenanceParts): () => void {
  const { turns, salts, waits, failed } = parts;
  const begins = [() => salts.refresh(), () => waits.round(), () => roundOfSites(parts)].map((work) =>
    unlessUnderWay(work, failed),
  );
  const timer = setInterval(() => begins.forEach((begin) => begin()), parts.everyMs);
  return () => {
    clearInterval(timer);
    turns.stop();
  };
}

function unlessUnderWay(work: () => Promise<void>, failed: MaintenanceParts['failed']): () => void {
  let isUnderWay = false;
  return () => {
    if (isUnderWay) return;
    isUnderWay = true;
    void attempt(work, failed).finally(() => (isUnderWay = false));
  };
}

async function attempt(work: () => Promise<void>, failed: MaintenanceParts['failed']): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    failed(thrown);
  }
}

/** One step after the other, each for all sites. */
async function roundOfSites(parts: MaintenanceParts): Promise<void> {
  const { sessions, activity, turns, pace, reconciler, dispatcher, online, failed } = parts;
  sessions.sweep();
  const active = activity.nextRound();
  pace.keepOnly(active);
  // A sweep that fails may have met what needs a repair.
  const elsewhere = new Set<SiteId>();
  await turns.each('sweep', active, async (site) => {
    if (await isSweptElsewhere(site, parts)) elsewhere.add(site);
  });
  const here = active.filter((site) => !elsewhere.has(site));
  await turns.each('repair', here, (site) => repair(site, parts));
  await attempt(() => reconciler.round(active), failed);
  await attempt(() => dispatcher.endSilent(), failed);
  await attempt(() => online.tellChanges(), failed);
}

/** Sweeps a site, and returns whether another node does so at present. */
async function isSweptElsewhere(
  site: SiteId,
  { store, nodeId, sites, activity, heartbeat, dispatcher }: MaintenanceParts,
): Promise<boolean> {
  // A sweep takes the visitors of lapsed leases for disconnected, those of this node too.
  await heartbeat.held(site);
  for (let calls = 1, isMore = true; isMore && calls <= SWEEP.callsMax; calls++) {
    const swept = await store.sweep(site, nodeId, sites.rulesOf(site), SWEEP.max);
    dispatcher.dispatch(swept.notices);
    isMore = swept.isMore;
    if (isMore) activity.keep(site);
    if (swept.isElsewhere) return true;
  }
  return false;
}

async function repair(site: SiteId, { store, nodeId, pace, repaired, dispatcher }: MaintenanceParts): Promise<void> {
  for (let call = 1, isMore = true; isMore; call++) {
    const { max, calls, callsMax } = pace.of(site);
    const outcome = await store.repair(site, nodeId, max);
    dispatcher.dispatch(outcome.notices);
    pace.noteOutcome(site, outcome);
    if (Object.keys(outcome.mended).length > 0) repaired(site, outcome.mended);
    isMore = call < (outcome.isMore ? callsMax : calls);
  }
}
