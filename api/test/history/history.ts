import type { Criteria, EndReason, ErrorCode } from '@passerby/sdk/protocol';

/** Requests of one visitor and the events they received, in the order in which they happened to them. */
export type Seen =
  | { readonly kind: 'asked'; readonly ask: number; readonly request: string; readonly conversationId?: string }
  | { readonly kind: 'answered'; readonly ask: number; readonly answer: Answer; readonly afterMs: number }
  | {
      readonly kind: 'started';
      readonly conversationId: string;
      readonly role: string;
      /** Time by `performance.now()`. */ readonly at: number;
    }
  | { readonly kind: 'ended'; readonly conversationId: string; readonly reason: EndReason }
  | { readonly kind: 'heard'; readonly conversationId: string; readonly said: string }
  | { readonly kind: 'disconnected' }
  /** Resumed, with the full state: the running conversation, or none. */
  | { readonly kind: 'resumed'; readonly conversationId: string | null; readonly role: string };

/** `cut`: the connection was lost before an answer came. */
export type Answer = 'cut' | 'waiting' | 'matched' | 'cancelled' | 'already_matched' | 'left' | 'blocked' | ErrorCode;

/** State of a visitor at the end: waits, chats, does neither, or was promised a start that never came. */
export type Rest = 'waiting' | 'chatting' | 'idle' | 'promised';

export interface VisitorHistory {
  readonly visitor: number;
  readonly criteria: Criteria;
  readonly seen: readonly Seen[];
  readonly rest: Rest;
}

/** Message in a conversation that identifies its sender. */
export const saying = (visitor: number, conversationId: string): string => `${visitor} in ${conversationId}`;

/** Returns the number of conversations that were seen, by anybody. */
export function conversationsIn(histories: readonly VisitorHistory[]): number {
  const starts = histories.flatMap(({ seen }) =>
    seen.flatMap((event) => (event.kind === 'started' ? [event.conversationId] : [])),
  );
  return new Set(starts).size;
}

/** Returns the duration of the slowest answer. Milliseconds. */
export function slowestAnswerMs(histories: readonly VisitorHistory[]): number {
  let slowest = 0;
  for (const { seen } of histories) {
    for (const event of seen)
      if (event.kind === 'answered' && event.answer !== 'cut') slowest = Math.max(slowest, event.afterMs);
  }
  return slowest;
}
