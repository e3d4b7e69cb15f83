import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';

/**
 * Source of record ids that sort by creation: each begins with the time, so that a list continues after the last id
 * seen.
 */
export class RecordIds {
  readonly #clock: Clock;
  #lastAt = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Returns an id such as `report_0mcx3k2l9007f3a…`: digits and lower-case letters only, which all collations sort
   * alike.
   */
  next(prefix: 'key' | 'report' | 'ban' | 'audit'): string {
    const now = this.#clock();
    this.#count = now === this.#lastAt ? this.#count + 1 : 0;
    this.#lastAt = now;
    const time = now.toString(36).padStart(10, '0');
    return `${prefix}_${time}${this.#count.toString(36).padStart(3, '0')}${randomBytes(6).toString('hex')}`;
  }
}
