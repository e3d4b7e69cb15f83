import type { Clock } from '../clock.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { failureReason } from '../records/database-failure.ts';

/** Interval at which old reports are deleted. Milliseconds. */
const EVERY_MS = 60 * 60_000;

/** Repository of reports, as far as retention needs it. */
export interface ReportRetention {
  /** Deletes comment and messages of old reports, and reports that are older still. `now` is Unix milliseconds. */
  forget(now: number): Promise<void>;
}

/** Deletes old reports, now and every hour, until the returned function is called. */
export function forgetReports(reports: ReportRetention, clock: Clock, log: Log): () => void {
  const forget = () =>
    void reports.forget(clock()).catch((thrown: unknown) => {
      const reason = failureReason(thrown);
      log.warn(
        reason === undefined ? { error: errorFields(thrown) } : { reason },
        'old reports could not be deleted, and will be tried again',
      );
    });
  forget();
  const timer = setInterval(forget, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
