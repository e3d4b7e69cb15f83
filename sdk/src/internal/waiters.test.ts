import { describe, expect, it } from 'vitest';
import { ChatError } from '../errors.ts';
import { Waiters } from './waiters.ts';

describe('Waiters', () => {
  it('answers all who wait, once', async () => {
    const waiters = new Waiters<number>();
    const both = [waiters.wait(), waiters.wait()];
    expect(waiters.isEmpty).toBe(false);
    waiters.resolve(1);
    waiters.resolve(2);
    expect(await Promise.all(both)).toEqual([1, 1]);
    expect(waiters.isEmpty).toBe(true);
  });

  it('rejects all who wait', async () => {
    const waiters = new Waiters();
    const answer = waiters.wait();
    waiters.reject(new ChatError('closed'));
    await expect(answer).rejects.toMatchObject({ code: 'closed' });
  });

  it('forgets who is aborted, and leaves no listener at a signal', async () => {
    const waiters = new Waiters();
    const [first, second] = [new AbortController(), new AbortController()];
    const [one, other] = [waiters.wait(first.signal), waiters.wait(second.signal)];
    first.abort();
    await expect(one).rejects.toMatchObject({ code: 'aborted' });
    expect(waiters.isEmpty).toBe(false);
    waiters.resolve();
    await other;
    second.abort();
    expect(waiters.isEmpty).toBe(true);
  });
});
