import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SQLITE_FILE } from '../../../src/records/records.ts';
import { comesTrue } from '../patience.ts';
import { DisturbedService } from './disturbed-service.ts';
import { LogPipe } from './log-pipe.ts';

describe('a service whose log nobody takes', { timeout: 60_000 }, () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'passerby-data-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Makes the next look at the database fail, which is an error to log. */
  const provoke = () => writeFileSync(join(folder, SQLITE_FILE), 'no database any more');

  it('is still served while the pipe is full, and logs again once it is read', async () => {
    using pipe = new LogPipe();
    await using service = await DisturbedService.start({ DATA_DIR: folder }, { log: pipe.writer });
    pipe.fill();
    provoke();
    for (let times = 1; times <= 5; times++) await service.talk();
    let read = '';
    expect(await comesTrue(() => (read += pipe.read()).includes('sites cannot be looked up'), 30_000)).toBe(true);
    await service.talk();
  });

  it('is still served after the reader has gone', async () => {
    using pipe = new LogPipe();
    await using service = await DisturbedService.start({ DATA_DIR: folder }, { log: pipe.writer });
    pipe.breakOff();
    provoke();
    for (let times = 1; times <= 5; times++) await service.talk();
  });

  it('drains in time with a full pipe', async () => {
    using pipe = new LogPipe();
    await using service = await DisturbedService.start({ DATA_DIR: folder }, { log: pipe.writer });
    pipe.fill();
    provoke();
    await service.talk();
    service.node.signal('SIGTERM');
    expect(await comesTrue(() => !service.node.isRunning, 40_000)).toBe(true);
  });
});
