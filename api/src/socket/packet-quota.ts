import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { MonotonicClock } from '../clock.ts';
import { TokenBucket } from '../rate-limiting/token-bucket.ts';

/** Quota of a connection for packets, by number and by bytes. */
export class PacketQuota {
  readonly #packets: TokenBucket;
  readonly #bytes: TokenBucket;
  readonly #clock: MonotonicClock;

  constructor({ packetsMax, packetsMaxBytes, packetsMs }: ConnectionLimits, clock: MonotonicClock) {
    const now = clock();
    this.#packets = new TokenBucket({ points: packetsMax, windowMs: packetsMs }, now);
    this.#bytes = new TokenBucket({ points: packetsMaxBytes, windowMs: packetsMs }, now);
    this.#clock = clock;
  }

  /** Consumes one packet of that many bytes. Returns whether it may be read. */
  tryConsume(bytes: number): boolean {
    const now = this.#clock();
    return this.#packets.tryConsume(now) && this.#bytes.tryConsume(now, bytes);
  }
}
