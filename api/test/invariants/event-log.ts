import type { Criteria, EndReason, ErrorCode } from '@passerby/sdk/protocol';

/** Action of one visitor, or event that they were told. Times are of `performance.now()`. */
export type LoggedEvent =
  | { readonly kind: 'asked'; readonly ask: number; readonly request: string; readonly conversationId?: string }
  | { readonly kind: 'answered'; readonly ask: number; readonly answer: Answer; readonly afterMs: number }
  /** `role`: as the wire has it; the SDK does not show it. */
  | { readonly kind: 'started'; readonly conversationId: string; readonly role?: string; readonly at: number }
  | { readonly kind: 'said'; readonly conversationId: string; readonly text: string }
  /** `conversationId`: the conversation in which it was shown, or `null` if there was none at that moment. */
  | { readonly kind: 'heard'; readonly conversationId: string | null; readonly text: string }
  | { readonly kind: 'delivered'; readonly text: string }
  | { readonly kind: 'presence'; readonly presence: 'here' | 'away'; readonly at: number }
  /** `undelivered`: the messages that the SDK reported. */
  | {
      readonly kind: 'ended';
      readonly conversationId: string;
      readonly reason: EndReason;
      readonly undelivered?: readonly string[];
      readonly at: number;
    }
  | { readonly kind: 'disconnected' }
  /** Resumed, with the full state: the running conversation, or none. */
  | { readonly kind: 'resumed'; readonly conversationId: string | null; readonly role: string };

/** `cut`: the connection was lost before an answer came. */
export type Answer = 'cut' | 'waiting' | 'matched' | 'cancelled' | 'already_matched' | 'left' | 'blocked' | ErrorCode;

/** State of a visitor at the end: waits, chats, does neither, or was promised a start that never came. */
export type Rest = 'waiting' | 'chatting' | 'idle' | 'promised';

/** Events of one visitor, in the order in which they happened to them. */
export interface EventLog {
  readonly visitor: string;
  readonly events: readonly LoggedEvent[];
  /**
   * `reliable`: of the SDK, where each text is sent once and must arrive or be reported. `frames`: of a raw client, whose
   * frames may be repeated, and lost with its connection.
   */
  readonly delivery: 'reliable' | 'frames';
  readonly criteria: Criteria;
  readonly rest: Rest;
}

/** Returns the number of conversations that were seen, by anybody. */
export function conversationsIn(logs: readonly EventLog[]): number {
  const starts = logs.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === 'started' ? [event.conversationId] : [])),
  );
  return new Set(starts).size;
}

/** Duration of the slowest answer. Milliseconds. */
export function slowestAnswerMs(logs: readonly EventLog[]): number {
  let slowest = 0;
  for (const { events } of logs) {
    for (const event of events)
      if (event.kind === 'answered' && event.answer !== 'cut') slowest = Math.max(slowest, event.afterMs);
  }
  return slowest;
}

/** Returns the time of the first start after `at`, or `null` if there is none. */
export function firstStartAfter({ events }: EventLog, at: number): number | null {
  for (const event of events) if (event.kind === 'started' && event.at > at) return event.at;
  return null;
}
