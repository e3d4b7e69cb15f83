import { fill } from '../i18n/fill.ts';
import type { Strings } from '../i18n/en.ts';

/** Text about the time until a retry: in seconds, then minutes, then hours, rounded up. */
export function timeLeft(ms: number, strings: Strings): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 100) return fill(strings.tryAgainIn, { seconds });
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 100) return fill(strings.tryAgainInMinutes, { minutes });
  return fill(strings.tryAgainInHours, { hours: Math.ceil(minutes / 60) });
}
