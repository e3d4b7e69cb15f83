import { REPORT_REASONS, type ReportedMessage } from '@passerby/sdk/protocol';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { schemaFor } from '../contract/schema-for.ts';
import { ACTORS, AUDIT_ACTIONS } from './column-values.ts';
import type { Tables } from './tables.ts';

const text = z.string();
const flag = z.int().min(0).max(1);
/** Latest time of a JavaScript `Date`, as far from 1970 as the earliest. Unix milliseconds. */
const DATE_MAX_MS = 8.64e15;
const moment = z.int().min(-DATE_MAX_MS).max(DATE_MAX_MS);
/** Schema of an end, which may be beyond every date. */
const end = z.number().refine(Number.isInteger).min(-DATE_MAX_MS).nullable();

/** Converts a stored end: one beyond all dates becomes `null`. */
export function asEnd(at: number | null): number | null {
  return at !== null && at > DATE_MAX_MS ? null : at;
}

const messages = z.array(z.object({ from: z.enum(['me', 'peer']), text: z.string() }));

/** Parses the messages of a report; `null` if the text is anything else. */
export function readMessages(json: string): readonly ReportedMessage[] | null {
  try {
    return messages.parse(JSON.parse(json));
  } catch {
    // Whoever reads it is told by the `null`.
    return null;
  }
}

/**
 * Schemas of the rows of each table that is read as records. SQLite stores any value in any column, and returns what
 * another program, a later version or a damaged page left there.
 */
export const ROW_SHAPES = {
  sites: schemaFor<Selectable<Tables['sites']>>()(
    z.object({ id: text, name: text, is_disabled: flag, created_at: moment, revision: z.number() }),
  ),
  origins: schemaFor<Selectable<Tables['origins']>>()(z.object({ site_id: text, origin: text, position: z.number() })),
  keys: schemaFor<Selectable<Tables['keys']>>()(
    z.object({
      id: text,
      site_id: text,
      kind: z.enum(['publishable', 'secret']),
      mode: z.enum(['live', 'test']),
      value: text,
      hint: text,
      created_at: moment,
      expires_at: end,
      revoked_at: moment.nullable(),
    }),
  ),
  reports: schemaFor<Selectable<Tables['reports']>>()(
    z.object({
      id: text,
      site_id: text,
      conversation_id: text,
      reason: z.enum(REPORT_REASONS),
      comment: text.nullable(),
      messages: text.refine((json) => readMessages(json) !== null).nullable(),
      reporter: text,
      reported_address: text,
      reported_ban_id: text.nullable(),
      created_at: moment,
      status: z.enum(['open', 'resolved']),
      resolution: text.nullable(),
      resolved_at: moment.nullable(),
      counts: flag,
      reporter_network: text.nullable(),
      reported_56: text.nullable(),
      reported_48: text.nullable(),
    }),
  ),
  bans: schemaFor<Selectable<Tables['bans']>>()(
    z.object({
      id: text,
      site_id: text.nullable(),
      kind: z.enum(['address', 'ban_id']),
      value: text,
      reason: text,
      actor: z.enum(ACTORS),
      created_at: moment,
      until: end,
      lifted_at: moment.nullable(),
      revision: z.number(),
    }),
  ),
  audit: schemaFor<Selectable<Tables['audit']>>()(
    z.object({
      id: text,
      at: moment,
      actor: z.enum(ACTORS),
      action: z.enum(AUDIT_ACTIONS),
      site_id: text.nullable(),
      subject: text.nullable(),
    }),
  ),
  revisions: schemaFor<Pick<Selectable<Tables['revisions']>, 'value' | 'stamp'>>()(
    z.object({ value: z.int(), stamp: text }),
  ),
} as const;

export type RowTable = keyof typeof ROW_SHAPES;
export type Row<Table extends RowTable> = z.output<(typeof ROW_SHAPES)[Table]>;
