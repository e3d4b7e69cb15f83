import type { StoreFault } from '@passerby/sdk/protocol';
import type { SiteId } from '../domain/ids.ts';
import { REPAIRED_KINDS } from '../domain/repaired-kinds.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { MaintenanceParts } from './site-maintenance.ts';

/** Counts and logs what maintenance repaired, and what failed. */
export function maintenanceLog(parts: {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly faultOf: (thrown: unknown) => StoreFault;
}): { readonly failed: (thrown: unknown, site?: SiteId) => void; readonly repaired: MaintenanceParts['repaired'] } {
  const { log, metrics, faultOf } = parts;
  return {
    failed: (thrown, site) => {
      metrics.count('passerby_incidents_total', { kind: 'round_failed' });
      const fault = faultOf(thrown);
      const fields = { ...(site !== undefined && { site }), ...(fault !== 'UNKNOWN' && { reason: fault }) };
      log.error({ ...fields, error: errorFields(thrown) }, 'round failed');
    },
    repaired: (site, mended) => {
      let count = 0;
      for (const kind of REPAIRED_KINDS) {
        count += mended[kind] ?? 0;
        metrics.count('passerby_repairs_total', { kind }, mended[kind] ?? 0);
      }
      log.warn({ site, count }, 'lost entries of the state store were repaired');
    },
  };
}
