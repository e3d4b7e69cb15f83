import { describe, expect, it } from 'vitest';
import { comesTrue } from '../patience.ts';
import { DisturbedService } from './disturbed-service.ts';
import { LogPipe } from './log-pipe.ts';

describe('service whose log is not read', () => {
  /** Sends a request that causes one line of the log. */
  const provoke = async ({ node }: DisturbedService) => {
    await (await fetch(`${node.url}/v1/site`, { headers: { 'X-Forwarded-For': '203.0.113.7' } })).text();
  };

  it('keeps serving while the pipe is full, and logs again once it is read', async () => {
    using pipe = new LogPipe();
    await using service = await DisturbedService.start({}, { log: pipe.writer });
    pipe.fill();
    await provoke(service);
    for (let times = 1; times <= 5; times++) await service.talk();
    let read = '';
    expect(await comesTrue(() => (read += pipe.read()).includes('TRUSTED_HOPS'), 30_000)).toBe(true);
    await service.talk();
  });

  it('keeps serving after the reader has closed the pipe', async () => {
    using pipe = new LogPipe();
    await using service = await DisturbedService.start({}, { log: pipe.writer });
    pipe.breakOff();
    await provoke(service);
    for (let times = 1; times <= 5; times++) await service.talk();
  });

  it('drains in time with a full pipe', async () => {
    using pipe = new LogPipe();
    await using service = await DisturbedService.start({}, { log: pipe.writer });
    pipe.fill();
    await provoke(service);
    await service.talk();
    service.node.signal('SIGTERM');
    expect(await comesTrue(() => !service.node.isRunning, 40_000)).toBe(true);
  });
});
