import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AwakeTimer } from './awake-timer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

interface Page {
  readonly tell: (type: string) => void;
  readonly document: { prerendering: boolean };
}

function page(prerendering = false): Page {
  const window = new EventTarget();
  const document = { prerendering };
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', document);
  return { tell: (type) => void window.dispatchEvent(new Event(type)), document };
}

describe('timer that stops while the page is inactive', () => {
  test('runs like any other without a page', () => {
    const timer = new AwakeTimer();
    const run = vi.fn();
    timer.start(100, run);
    expect(timer.isRunning).toBe(true);
    vi.advanceTimersByTime(99);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledOnce();
    expect(timer.isRunning).toBe(false);
  });

  test.each([
    ['freeze', 'resume'],
    ['pagehide', 'pageshow'],
  ])('stops from %s to %s, and then restarts', (halt, goOn) => {
    const { tell } = page();
    const timer = new AwakeTimer();
    const run = vi.fn();
    timer.start(100, run);
    vi.advanceTimersByTime(60);
    tell(halt);
    vi.advanceTimersByTime(60_000);
    expect(timer.isRunning).toBe(true);
    tell(goOn);
    tell(goOn);
    vi.advanceTimersByTime(99);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledOnce();
  });

  test('starts once a prerendered page is shown', () => {
    const { tell, document } = page(true);
    const timer = new AwakeTimer();
    const run = vi.fn();
    timer.start(100, run);
    vi.advanceTimersByTime(60_000);
    tell('pageshow');
    vi.advanceTimersByTime(60_000);
    expect(run).not.toHaveBeenCalled();
    document.prerendering = false;
    tell('prerenderingchange');
    vi.advanceTimersByTime(100);
    expect(run).toHaveBeenCalledOnce();
  });

  test.each(['stop', 'start', 'end'] as const)('removes its listeners after its %s', (after) => {
    const { tell } = page();
    const timer = new AwakeTimer();
    const run = vi.fn();
    const later = vi.fn();
    timer.start(100, run);
    if (after === 'stop') timer.stop();
    if (after === 'start') timer.start(500, later);
    if (after === 'end') vi.advanceTimersByTime(100);
    const { length } = run.mock.calls;
    tell('freeze');
    tell('resume');
    expect(vi.getTimerCount()).toBe(after === 'start' ? 1 : 0);
    vi.advanceTimersByTime(1_000);
    expect(run.mock.calls).toHaveLength(length);
    expect(later.mock.calls).toHaveLength(after === 'start' ? 1 : 0);
  });
});
