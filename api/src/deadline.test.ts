import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { within } from './deadline.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const never = () => new Promise<never>(() => undefined);
const fail = () => {
  throw new Error('late');
};

describe('work with a deadline', () => {
  it('settles as the work does, and leaves no timer behind', async () => {
    expect(await within(Promise.resolve('done'), 100, fail)).toBe('done');
    await expect(within(Promise.reject(new Error('broken')), 100, fail)).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('resolves to the substitute for late work, or throws it', async () => {
    const [one, other] = [within(never(), 100, () => 'late'), within(never(), 100, fail)];
    const thrown = expect(other).rejects.toThrow('late');
    await vi.advanceTimersByTimeAsync(100);
    expect(await one).toBe('late');
    await thrown;
  });

  it('handles work that fails after its time, so that no rejection is left unhandled', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    let failWork = (_: Error): void => undefined;
    const late = within(new Promise<never>((_, reject) => (failWork = reject)), 100, () => 'late');
    await vi.advanceTimersByTimeAsync(100);
    expect(await late).toBe('late');
    failWork(new Error('broken'));
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).not.toHaveBeenCalled();
    process.off('unhandledRejection', unhandled);
  });
});
