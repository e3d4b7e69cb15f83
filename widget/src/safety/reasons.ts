import type { ReportReason } from '@passerby/sdk';
import type { StringName } from '../i18n/en.ts';

/** What each reason is called. */
export const REASON_WORDS: Readonly<Record<ReportReason, StringName>> = {
  harassment: 'reasonHarassment',
  sexual: 'reasonSexual',
  hate: 'reasonHate',
  threat: 'reasonThreat',
  minor: 'reasonMinor',
  spam: 'reasonSpam',
  other: 'reasonOther',
};
