import type { FindPayload } from '@passerby/sdk/protocol';
import type { Ticket } from '../state/state-store.ts';

/** A ticket from what a visitor sent: words compared without case, accents composed, each once, empty lists gone. */
export function ticketFrom(payload: FindPayload): Ticket {
  const interests = words(payload.interests);
  const languages = words(payload.languages);
  const seeks = words(payload.seeks);
  return {
    requestId: payload.requestId,
    ...(interests.length > 0 && { interests }),
    ...(languages.length > 0 && { languages }),
    ...(payload.topic !== undefined && { topic: payload.topic }),
    ...(payload.is !== undefined && { is: word(payload.is) }),
    ...(seeks.length > 0 && { seeks }),
  };
}

function words(list: readonly string[] = []): readonly string[] {
  return [...new Set(list.map(word))];
}

function word(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
