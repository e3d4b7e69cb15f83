import { AccessDirectory } from '../../src/admission/access-directory.ts';
import { reportOperations } from '../../src/http/admin/report-operations.ts';
import { siteOperations } from '../../src/http/admin/site-operations.ts';
import { auditedBans } from '../../src/moderation/auto-bans.ts';
import { ModerationService } from '../../src/moderation/moderation-service.ts';
import { SiteService } from '../../src/sites/site-service.ts';
import type { App } from '../../src/app.ts';
import type { Records } from '../../src/records/records.ts';
import { listLog, startTestApp, type TestAppParts } from '../harness.ts';
import { tempRecords } from '../temp-records.ts';

export const OPERATOR_TOKEN = 'operator-token-of-the-tests-0123456789';

/** Whole service on records of its own, with its operators' API. */
export interface AdminService {
  readonly app: App;
  readonly records: Records;
  readonly log: ReturnType<typeof listLog>;
  /** Sends a request to the operators' API, by default with the token; reads the body of the answer. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answered>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** `any`: each operation has its own shape of answer, and a test reads the one it requested. */
  readonly body: any;
}

export async function startAdminService(
  parts: TestAppParts = {},
  clock: () => number = Date.now,
): Promise<AdminService> {
  const kept = await tempRecords(clock);
  const { records } = kept;
  const log = listLog();
  const sites = await AccessDirectory.open({ records, dates: clock, clock, log, builtIn: [] });
  sites.follow();
  const { config, ...rest } = parts;
  const app = await startTestApp({
    sites,
    bans: sites.bans,
    onAccessChange: (changed) => sites.onChange(changed),
    records: { reports: records.reports, bans: auditedBans(records) },
    operations: [
      ...siteOperations(new SiteService({ records, clock, actor: 'operator' })),
      ...reportOperations(new ModerationService(records, clock)),
    ],
    log,
    clock,
    config: { OPERATOR_TOKEN, TRUSTED_HOPS: 1, ...config },
    ...rest,
  });
  return {
    app,
    records,
    log,
    async ask(method, path, body, headers = {}) {
      const answer = await fetch(`${app.url}/admin/v1${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${OPERATOR_TOKEN}`,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) };
    },
    async [Symbol.asyncDispose]() {
      await app.stop();
      sites.close();
      await kept[Symbol.asyncDispose]();
    },
  };
}
