import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { listLog, ORIGIN, SHOP, startTestApp, Visitor } from './harness.ts';

const POLLING = `${SOCKET_PATH}?EIO=4&transport=polling&site=${SHOP.key}`;
const FROM = '203.0.113.7';

describe('undeclared proxy', () => {
  test('is detected at every entry point, and logged once, without an address', async () => {
    const log = listLog();
    await using app = await startTestApp({ log });
    await using visitor = await Visitor.arrive(app, { from: FROM });
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'proxy_undeclared' })).toBe(1);
    for (const path of [POLLING, '/v1/site', '/widget.js']) {
      await (await fetch(`${app.url}${path}`, { headers: { 'X-Forwarded-For': FROM, Origin: ORIGIN } })).text();
    }
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'proxy_undeclared' })).toBe(4);
    expect(log.lines).toEqual([{ level: 'warn', fields: {}, message: expect.stringContaining('TRUSTED_HOPS is 0') }]);
    expect(visitor.socket.connected).toBe(true);
  });

  test('is not reported if TRUSTED_HOPS counts it', async () => {
    const log = listLog();
    await using app = await startTestApp({ log, config: { TRUSTED_HOPS: 1 } });
    await using visitor = await Visitor.arrive(app, { from: FROM });
    expect([
      app.metrics.countOf('passerby_incidents_total', { kind: 'proxy_undeclared' }),
      app.metrics.countOf('passerby_incidents_total', { kind: 'proxy_entries_missing' }),
    ]).toEqual([0, 0]);
    expect([log.lines, visitor.socket.connected]).toEqual([[], true]);
  });
});
