import type { Clock } from '../clock.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { failureReason } from '../records/database-failure.ts';

/** Interval at which old reports are looked for. Milliseconds. */
const EVERY_MS = 60 * 60_000;

/** Records of reports of which the old ones are deleted. */
export interface ReportRetention {
  /** Deletes the words of old reports, and reports that are older still. `now` is Unix milliseconds. */
  forget(now: number): Promise<void>;
}

/** Lets old reports go, now and every hour, until the returned function is called. */
export function forgetReports(reports: ReportRetention, clock: Clock, log: Log): () => void {
  const forget = () =>
    void reports.forget(clock()).catch((thrown: unknown) => {
      const reason = failureReason(thrown);
      log.warn(reason === undefined ? { error: errorFields(thrown) } : { reason }, 'old reports stay for now');
    });
  forget();
  const timer = setInterval(forget, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
