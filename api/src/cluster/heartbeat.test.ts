import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SiteId } from '../domain/ids.ts';
import { Heartbeat } from './heartbeat.ts';

const NEVER_MS = 2 ** 30;

/** Heartbeat whose renewals the test answers, and whose timer never fires. */
function stage(names: readonly string[], underWayMax?: number) {
  let sites = names as readonly SiteId[];
  const begun: SiteId[] = [];
  const answers = new Map<SiteId, { resolve(): void; reject(error: Error): void }>();
  const heartbeat = new Heartbeat({
    beat: (site) => {
      begun.push(site);
      return new Promise<void>((resolve, reject) => answers.set(site, { resolve, reject }));
    },
    sites: () => sites,
    faultOf: (thrown) => (thrown as Error).message,
    everyMs: NEVER_MS,
    ...(underWayMax !== undefined && { underWayMax }),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    heartbeat,
    begun,
    setSites: (names: readonly string[]) => (sites = names as readonly SiteId[]),
    answer: (site: string) => (answers.get(site as SiteId)!.resolve(), settled()),
    fail: (site: string, fault: string) => (answers.get(site as SiteId)!.reject(new Error(fault)), settled()),
  };
}

afterEach(() => vi.useRealTimers());

describe('Heartbeat', () => {
  it('renews every lease at its turn, whether or not another one is answered', async () => {
    const { heartbeat, begun, answer } = stage(['a', 'b']);
    heartbeat.tick();
    await answer('b');
    heartbeat.tick();
    expect(begun.sort()).toEqual(['a', 'b', 'b']);
    heartbeat.stop();
  });

  it('has a maximum of pending renewals, and continues as they are answered, least recently tried first', async () => {
    const { heartbeat, begun, answer } = stage(['a', 'b', 'c', 'd'], 2);
    heartbeat.tick();
    expect(begun).toHaveLength(2);
    const [first, second] = begun;
    await answer(first!);
    expect(begun).toHaveLength(3);
    heartbeat.tick();
    await answer(second!);
    expect(new Set(begun).size).toBe(4);
    heartbeat.stop();
  });

  it('reports a recently renewed lease as held, and renews any other first', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const { heartbeat, begun, answer } = stage(['a']);
    const site = 'a' as SiteId;
    const first = heartbeat.held(site);
    await answer('a');
    await first;
    await heartbeat.held(site);
    expect(begun).toEqual(['a']);
    vi.advanceTimersByTime(5_000);
    const isHeld = vi.fn();
    const again = heartbeat.held(site).then(isHeld);
    expect(begun).toEqual(['a', 'a']);
    expect(isHeld).not.toHaveBeenCalled();
    await answer('a');
    await again;
    heartbeat.stop();
  });

  it('reports no lease as held after the machine slept, which stops one clock and not the other', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { heartbeat, begun, answer } = stage(['a']);
    const first = heartbeat.held('a' as SiteId);
    await answer('a');
    await first;
    vi.setSystemTime(Date.now() + 60_000);
    void heartbeat.held('a' as SiteId);
    expect(begun).toEqual(['a', 'a']);
    await answer('a');
    heartbeat.stop();
  });

  it('rejects if the lease cannot be renewed, and retries at the next turn', async () => {
    const { heartbeat, begun, answer, fail } = stage(['a']);
    const held = expect(heartbeat.held('a' as SiteId)).rejects.toThrow('OOM');
    await fail('a', 'OOM');
    await held;
    expect(heartbeat.standing(1_000)).toEqual({ tried: 1, failing: 1, late: 0, unproven: 0, faults: ['OOM'] });
    heartbeat.tick();
    await answer('a');
    expect(begun).toEqual(['a', 'a']);
    expect(heartbeat.standing(1_000)).toEqual({ tried: 1, failing: 0, late: 0, unproven: 0, faults: [] });
    heartbeat.stop();
  });

  it('retries a lease whose renewal failed before it was waited for', async () => {
    let tries = 0;
    const heartbeat = new Heartbeat({
      beat: () => {
        tries++;
        throw new Error('a bug');
      },
      sites: () => ['a' as SiteId],
      faultOf: (thrown) => (thrown as Error).message,
      everyMs: NEVER_MS,
    });
    heartbeat.tick();
    await new Promise((resolve) => setImmediate(resolve));
    heartbeat.tick();
    await expect(heartbeat.held('a' as SiteId)).rejects.toThrow('a bug');
    await expect(heartbeat.held('a' as SiteId)).rejects.toThrow('a bug');
    expect(tries).toBeGreaterThanOrEqual(3);
    expect(heartbeat.standing(500)).toMatchObject({ failing: 1, late: 0, unproven: 0, faults: ['a bug'] });
    heartbeat.stop();
  });

  it('counts a healthy lease as unproven if it was renewed before the given moment', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const { heartbeat, answer, fail } = stage(['a', 'b']);
    heartbeat.tick();
    await answer('a');
    await fail('b', 'READONLY');
    vi.advanceTimersByTime(1_000);
    const since = Math.floor(performance.now());
    expect(heartbeat.standing(500, since)).toMatchObject({ tried: 2, failing: 1, unproven: 1 });
    heartbeat.tick();
    await answer('a');
    await answer('b');
    expect(heartbeat.standing(500, since)).toMatchObject({ tried: 2, failing: 0, unproven: 0 });
    heartbeat.stop();
  });

  it('reports failed and late renewals, each reason once, and forgets sites that are no longer held', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const { heartbeat, answer, fail, setSites } = stage(['a', 'b', 'c', 'd']);
    expect(heartbeat.standing(500)).toEqual({ tried: 0, failing: 0, late: 0, unproven: 0, faults: [] });
    heartbeat.tick();
    expect(heartbeat.standing(500)).toMatchObject({ tried: 0 });
    await answer('a');
    await fail('b', 'CLUSTERDOWN');
    await fail('c', 'CLUSTERDOWN');
    vi.advanceTimersByTime(501);
    expect(heartbeat.standing(500)).toEqual({ tried: 4, failing: 2, late: 1, unproven: 0, faults: ['CLUSTERDOWN'] });
    setSites(['a']);
    heartbeat.tick();
    expect(heartbeat.standing(500)).toEqual({ tried: 1, failing: 0, late: 0, unproven: 0, faults: [] });
    heartbeat.stop();
  });
});
