import { existsSync, readdirSync } from 'node:fs';
import { Inspector } from '../../servers/inspector.ts';
import type { ServiceProcess } from '../../../../.config/test/service-process.ts';

/** Resources of a process. */
export interface ProcessCost {
  /** Number of open descriptors; of active handles and requests where the system has no `/proc`. */
  readonly descriptors: number;
  /** Bytes in use after a garbage collection. */
  readonly liveBytes: number;
}

/** Measures a process that was started with `--inspect`. */
export async function costOf(node: ServiceProcess): Promise<ProcessCost> {
  const folder = `/proc/${node.pid}/fd`;
  // Only for as long as it takes: a process that is looked into does not end when it fails.
  const inspector = await Inspector.of(node);
  try {
    const liveBytes = await inspector.liveBytes();
    const descriptors = existsSync(folder)
      ? readdirSync(folder).length
      : await inspector.evaluate<number>('process.getActiveResourcesInfo().length');
    return { descriptors, liveBytes };
  } finally {
    await inspector.close();
  }
}
