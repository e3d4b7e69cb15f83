import type { OnlineBucket } from '@passerby/sdk';
import { fill } from '../i18n/fill.ts';
import type { Strings } from '../i18n/en.ts';

/** Returns whether the visitor may be the only one online. */
export const isAlone = (online: OnlineBucket) => online.max !== null && online.max <= 1;

/** Text with the approximate number of visitors online. */
export function onlineWords(online: OnlineBucket, strings: Strings): string {
  const { min, max } = online;
  if (max === null) return fill(strings.onlineMany, { min });
  if (isAlone(online)) return strings.onlineAlone;
  return min <= 2 ? fill(strings.onlineFew, { max: max + 1 }) : fill(strings.onlineRange, { min, max });
}
