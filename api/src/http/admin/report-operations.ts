import { z } from 'zod';
import { exactText, freeText } from '../../contract/text.ts';
import { BAN_MAX_MS, type ModerationService } from '../../moderation/moderation-service.ts';
import { operation, type Operation } from './operation.ts';
import { auditShape, banShape, pageOf, paging, reportShape, siteIdInMode } from './shapes.ts';

const reportPath = z.strictObject({ report: exactText().max(100) });
const kind = z.enum(['address', 'ban_id']);
const forMs = z.int().min(1_000).max(BAN_MAX_MS).nullable().meta({
  description: 'Duration in milliseconds, at most ten years; `null` until it is lifted. By address at most a day.',
});
const words = freeText().trim().min(1).max(200);

/** Operations on reports, bans and the audit trail. */
export function reportOperations(moderation: ModerationService): readonly Operation[] {
  return [
    operation({
      route: 'GET /reports',
      id: 'listReports',
      summary: 'Lists reports, oldest first',
      query: z.strictObject({
        site: siteIdInMode.optional(),
        status: z.enum(['open', 'resolved']).optional(),
        ...paging,
      }),
      answer: pageOf(reportShape),
      run: async ({ query: { site, status, after, max } }) => {
        const { items, next } = await moderation.reports({
          max,
          ...(site !== undefined && { site }),
          ...(status !== undefined && { status }),
          ...(after !== undefined && { after }),
        });
        return { items: [...items], next };
      },
    }),
    operation({
      route: 'GET /reports/{report}',
      id: 'getReport',
      summary: 'Returns one report',
      path: reportPath,
      answer: reportShape,
      run: ({ path: { report } }) => moderation.report(report),
    }),
    operation({
      route: 'POST /reports/{report}/resolution',
      id: 'resolveReport',
      summary: 'Resolves a report and deletes the messages and the comment in it',
      path: reportPath,
      body: z.strictObject({ resolution: words }),
      answer: reportShape,
      run: ({ path: { report }, body: { resolution } }) => moderation.resolve(report, resolution),
    }),
    operation({
      route: 'POST /reports/{report}/ban',
      id: 'banReported',
      summary: 'Bans the subject of a report',
      path: reportPath,
      body: z.strictObject({ kind, forMs }),
      answer: banShape,
      status: 201,
      run: ({ path: { report }, body }) => moderation.banReported(report, body.kind, body.forMs),
    }),
    operation({
      route: 'GET /bans',
      id: 'listBans',
      summary: 'Lists bans in force, oldest first',
      query: z.strictObject(paging),
      answer: pageOf(banShape),
      run: async ({ query: { after, max } }) => {
        const { items, next } = await moderation.bans({ max, ...(after !== undefined && { after }) });
        return { items: [...items], next };
      },
    }),
    operation({
      route: 'POST /bans',
      id: 'addBan',
      summary: "Bans a visitor by the site's id for them, or by the hash in a report",
      body: z.strictObject({ site: siteIdInMode, kind, value: exactText().min(1).max(64), reason: words, forMs }),
      answer: banShape,
      status: 201,
      run: ({ body }) => moderation.ban(body),
    }),
    operation({
      route: 'DELETE /bans/{ban}',
      id: 'liftBan',
      summary: 'Lifts a ban',
      path: z.strictObject({ ban: exactText().max(100) }),
      answer: banShape,
      run: ({ path: { ban } }) => moderation.lift(ban),
    }),
    operation({
      route: 'GET /audit',
      id: 'listAudit',
      summary: 'Lists the audit trail, oldest first',
      query: z.strictObject(paging),
      answer: pageOf(auditShape),
      run: async ({ query: { after, max } }) => {
        const { items, next } = await moderation.audit({ max, ...(after !== undefined && { after }) });
        return { items: [...items], next };
      },
    }),
  ];
}
