import type { ReportReason } from '@passerby/sdk';
import type { AllStrings } from '../i18n/en.ts';

/** Names of each reason. */
export const REASON_WORDS: Readonly<Record<ReportReason, keyof AllStrings>> = {
  harassment: 'reasonHarassment',
  sexual: 'reasonSexual',
  hate: 'reasonHate',
  threat: 'reasonThreat',
  minor: 'reasonMinor',
  spam: 'reasonSpam',
  other: 'reasonOther',
};
