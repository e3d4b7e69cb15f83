import type { ReportReason } from '@passerby/sdk/protocol';
import type { Actor, AuditAction } from './column-values.ts';
import type { BanKind } from './column-values.ts';
import type { KeyKind, KeyMode } from './column-values.ts';
import type { ReportStatus } from './column-values.ts';

/**
 * Tables of the database. Times are Unix milliseconds, booleans 0 or 1, data JSON text: the same on SQLite and
 * PostgreSQL. No table holds the messages of visitors.
 */
export interface Tables {
  readonly revisions: { readonly id: number; value: number; stamp: string };
  /** Stamps of the last revisions, `STAMPS_MAX` at most. */
  readonly stamps: { readonly revision: number; stamp: string };
  readonly sites: {
    readonly id: string;
    name: string;
    is_disabled: number;
    readonly created_at: number;
    /** Revision of the last change to the site or its parts. */
    revision: number;
  };
  readonly origins: { readonly site_id: string; readonly origin: string; readonly position: number };
  readonly policies: { readonly site_id: string; policy: string };
  readonly keys: {
    readonly id: string;
    readonly site_id: string;
    readonly kind: KeyKind;
    readonly mode: KeyMode;
    readonly value: string;
    readonly hint: string;
    readonly created_at: number;
    expires_at: number | null;
    revoked_at: number | null;
  };
  readonly reports: {
    readonly id: string;
    readonly site_id: string;
    readonly conversation_id: string;
    readonly reason: ReportReason;
    comment: string | null;
    messages: string | null;
    readonly reporter: string;
    readonly reported_address: string;
    readonly reported_ban_id: string | null;
    readonly created_at: number;
    status: ReportStatus;
    resolution: string | null;
    resolved_at: number | null;
    /** 1 if it counts towards automatic bans. */
    readonly counts: number;
    /** The widest network of the reporter; null in reports of versions that did not know it. */
    readonly reporter_network: string | null;
    /** The /56 and the /48 of the reported visitor; null for IPv4. */
    readonly reported_56: string | null;
    readonly reported_48: string | null;
  };
  readonly bans: {
    readonly id: string;
    readonly site_id: string | null;
    readonly kind: BanKind;
    readonly value: string;
    readonly reason: string;
    readonly actor: Actor;
    readonly created_at: number;
    readonly until: number | null;
    lifted_at: number | null;
    revision: number;
  };
  readonly audit: {
    readonly id: string;
    readonly at: number;
    readonly actor: Actor;
    readonly action: AuditAction;
    readonly site_id: string | null;
    readonly subject: string | null;
  };
}
