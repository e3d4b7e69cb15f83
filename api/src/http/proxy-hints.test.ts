import { describe, expect, it } from 'vitest';
import { Metrics } from '../observability/metrics.ts';
import { ProxyHints } from './proxy-hints.ts';

function watched(trustedHops: number) {
  const warnings: [fields: object, message: string][] = [];
  const metrics = new Metrics();
  const log = {
    info: () => undefined,
    warn: (fields: object, message: string) => void warnings.push([fields, message]),
    error: () => undefined,
  };
  const hints = new ProxyHints(trustedHops, metrics, log);
  const send = (count: number, headers: Record<string, string> = {}, url = '/socket.io/') => {
    for (let sent = 0; sent < count; sent++) hints.look({ headers, url });
  };
  return { warnings, metrics, send };
}

describe('with TRUSTED_HOPS at 0, a proxy', () => {
  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip'])(
    'that sends %s is counted, and logged once, without an address',
    (name) => {
      const { warnings, metrics, send } = watched(0);
      send(3, { [name]: '203.0.113.7' });
      expect(metrics.countOf('passerby_incidents_total', { kind: 'proxy_undeclared' })).toBe(3);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toEqual([{}, expect.stringContaining('set TRUSTED_HOPS')]);
      expect(JSON.stringify(warnings)).not.toContain('203.0.113.7');
    },
  );

  it('that does not exist is not logged', () => {
    const { warnings, metrics, send } = watched(0);
    send(1_000);
    expect([warnings, metrics.countOf('passerby_incidents_total', { kind: 'proxy_undeclared' })]).toEqual([[], 0]);
  });
});

describe('with TRUSTED_HOPS at 2, entries of X-Forwarded-For', () => {
  const ONE = { 'x-forwarded-for': '203.0.113.7' };
  const TWO = { 'x-forwarded-for': '203.0.113.7, 10.0.0.2' };

  it('that are fewer on most requests are counted, and logged once', () => {
    const { warnings, metrics, send } = watched(2);
    send(40, TWO);
    send(60, ONE);
    send(300);
    expect(metrics.countOf('passerby_incidents_total', { kind: 'proxy_entries_missing' })).toBe(360);
    expect(warnings).toEqual([[{}, expect.stringContaining('fewer X-Forwarded-For entries than TRUSTED_HOPS')]]);
  });

  it('that are fewer on some requests are counted, and not logged', () => {
    const { warnings, metrics, send } = watched(2);
    for (let turn = 0; turn < 10; turn++) {
      send(55, TWO);
      send(45, ONE);
    }
    expect([warnings, metrics.countOf('passerby_incidents_total', { kind: 'proxy_entries_missing' })]).toEqual([
      [],
      450,
    ]);
  });

  it('that are sufficient, or more, are accepted', () => {
    const { warnings, metrics, send } = watched(2);
    send(200, TWO);
    send(200, { 'x-forwarded-for': 'made up, 203.0.113.7, 10.0.0.2' });
    expect([warnings, metrics.countOf('passerby_incidents_total', { kind: 'proxy_entries_missing' })]).toEqual([[], 0]);
  });

  it('are not expected of probes, which bypass the proxy', () => {
    const { warnings, metrics, send } = watched(2);
    for (const url of ['/healthz', '/readyz', '/metrics']) send(1_000, {}, url);
    expect([warnings, metrics.countOf('passerby_incidents_total', { kind: 'proxy_entries_missing' })]).toEqual([[], 0]);
  });
});
