import type { ChatSnapshot } from '@passerby/sdk';
import { assertNever } from '../assert-never.ts';
import { ENDINGS } from '../ended/reasons.ts';
import type { Strings } from '../i18n/en.ts';
import { fill } from '../i18n/fill.ts';
import { onlineWords } from '../start/online.ts';

/** Texts of the panel's header. */
export interface HeaderWords {
  readonly title: string;
  readonly subtitle: string;
}

export function headerWords(snapshot: ChatSnapshot, now: number, strings: Strings): HeaderWords {
  const { state, online, connection } = snapshot;
  switch (state.status) {
    case 'idle': {
      const isUnderWay = connection.status === 'connecting';
      return {
        title: strings.title,
        subtitle: online ? onlineWords(online, strings) : isUnderWay ? strings.connecting : '',
      };
    }
    case 'waiting': {
      const seconds = Math.max(0, Math.floor((now - state.since) / 1_000));
      return { title: strings.waitingTitle, subtitle: fill(strings.waitingFor, { seconds }) };
    }
    case 'chatting': {
      const { isTyping, presence } = state.peer;
      return { title: strings.stranger, subtitle: isTyping ? strings.typing : strings[presence] };
    }
    case 'ended':
      return { title: strings.stranger, subtitle: strings[ENDINGS[state.reason].subtitle] };
    case 'elsewhere':
      return { title: strings.title, subtitle: strings.elsewhereTitle };
    case 'refused':
    case 'closed':
      return { title: strings.title, subtitle: strings.refusedTitle };
    default:
      return assertNever(state);
  }
}
