import type { IncomingMessage } from 'node:http';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';

/** Request headers by which proxies name the client they forward for. */
const FORWARDING_HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip'] as const;

/** Paths that load balancers and monitors request directly, past the proxy of the visitors. */
const PROBES: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz', '/metrics']);

/** Number of requests that are evaluated together if `TRUSTED_HOPS` is above 0. */
const SAMPLE_SIZE = 100;

/**
 * Detects that `TRUSTED_HOPS` does not match the requests, counts it, and logs it: each of the two messages at most
 * once in the life of a process, since anybody can send these headers. Only counts entries; reads no address.
 */
export class ProxyHints {
  readonly #trustedHops: number;
  readonly #metrics: Metrics;
  readonly #log: Log;
  #isSaid = false;
  #seen = 0;
  #short = 0;

  constructor(trustedHops: number, metrics: Metrics, log: Log) {
    this.#trustedHops = trustedHops;
    this.#metrics = metrics;
    this.#log = log;
  }

  look({ headers, url }: Pick<IncomingMessage, 'headers' | 'url'>): void {
    if (this.#trustedHops === 0) {
      if (FORWARDING_HEADERS.every((name) => headers[name] === undefined)) return;
      this.#metrics.count('passerby_incidents_total', { kind: 'proxy_undeclared' });
      this.#say(UNDECLARED);
      return;
    }
    if (PROBES.has(url)) return;
    const isShort = entriesOf(headers['x-forwarded-for']) < this.#trustedHops;
    if (isShort) this.#metrics.count('passerby_incidents_total', { kind: 'proxy_entries_missing' });
    this.#seen++;
    if (isShort) this.#short++;
    if (this.#seen < SAMPLE_SIZE) return;
    if (this.#short > SAMPLE_SIZE / 2) this.#say(ENTRIES_MISSING);
    this.#seen = 0;
    this.#short = 0;
  }

  #say(sentence: string): void {
    if (this.#isSaid) return;
    this.#isSaid = true;
    this.#log.warn({}, sentence);
  }
}

const UNDECLARED =
  'requests carry X-Forwarded-For or the like while TRUSTED_HOPS is 0: if a proxy of yours stands in front, all ' +
  'visitors count as one address; set TRUSTED_HOPS to the number of your proxies';
const ENTRIES_MISSING =
  'most requests carry fewer X-Forwarded-For entries than TRUSTED_HOPS: visitors may choose the address they count as, or count as one; set ' +
  'TRUSTED_HOPS to the number of your proxies, and let each add its entry';

/** Number of entries in a header that Node has joined. */
function entriesOf(header: string | readonly string[] | undefined): number {
  if (header === undefined || header === '') return 0;
  return String(header).split(',').length;
}
