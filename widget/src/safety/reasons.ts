import type { ReportReason } from '@passerby/sdk';
import type { AllStrings } from '../i18n/en.ts';

/** Text of each reason, by its name. */
export const REASON_WORDS: Readonly<Record<ReportReason, keyof AllStrings>> = {
  harassment: 'reasonHarassment',
  sexual: 'reasonSexual',
  hate: 'reasonHate',
  threat: 'reasonThreat',
  minor: 'reasonMinor',
  spam: 'reasonSpam',
  other: 'reasonOther',
};
