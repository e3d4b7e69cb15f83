// Values of the columns that have a closed set of them.

/** Actor of a change: an operator over HTTP, one at the command line, the sites file at a start, the service itself. */
export const ACTORS = ['operator', 'cli', 'sites-file', 'service'] as const;
export type Actor = (typeof ACTORS)[number];

export const AUDIT_ACTIONS = [
  'site.add',
  'site.rename',
  'site.disable',
  'site.enable',
  'site.policy',
  'origin.add',
  'origin.remove',
  'key.add',
  'key.rotate',
  'key.revoke',
  'report.resolve',
  'ban.add',
  'ban.lift',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export type KeyKind = 'publishable' | 'secret';
export type KeyMode = 'live' | 'test';

export type BanKind = 'address' | 'ban_id';

export type ReportStatus = 'open' | 'resolved';
