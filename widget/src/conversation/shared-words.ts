import type { Shared } from '@passerby/sdk';
import type { Strings } from '../i18n/en.ts';
import { pieces, type Piece } from '../i18n/fill.ts';

/** Returns what the two visitors have in common, as a sentence whose inserted values are shown in colour. */
export function sharedWords(shared: Shared, strings: Strings, lang: string | undefined): readonly Piece[] {
  const interests = new Intl.ListFormat(lang, { style: 'long' }).format(shared.interests);
  const page = strings.thisPage;
  if (shared.interests.length === 0) {
    return pieces(shared.isSameTopic ? strings.sharedPage : strings.met, { page });
  }
  return pieces(shared.isSameTopic ? strings.sharedBoth : strings.sharedInterests, { interests, page });
}
