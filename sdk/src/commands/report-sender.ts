import { ChatError } from '../errors.ts';
import { monotonicNow } from '../internal/clock.ts';
import {
  type ConversationId,
  LIMITS,
  type Policy,
  type ReportedMessage,
  type ReportReason,
  TIMES,
} from '../protocol/index.ts';
import type { Message } from '../state.ts';
import type { RequestRetrier } from './request-retrier.ts';

/** Maximum number of ended conversations that can still be reported. */
const PAST_MAX = 16;

/** Report of a visitor about the peer of a conversation. */
export interface Report {
  readonly reason: ReportReason;
  /** Comment of the visitor. At most `LIMITS.commentMaxChars`; an empty one is left out. */
  readonly comment?: string;
  /**
   * Number of last messages to attach, or `true` for `LIMITS.reportMessagesMax` of them. Ignored unless the policy's
   * `history` is `reports`.
   */
  readonly messages?: boolean | number;
  /** Conversation that ended within the last `TIMES.reportMs`. Default: the running one, or the one in the state `ended`. */
  readonly conversationId?: ConversationId;
}

interface Past {
  /** As `monotonicNow` told it. */
  readonly endedAt: number;
  /** The last ones, as long as they may be handed over. */
  readonly messages: readonly Message[];
}

/** Reports, and what is left of conversations to report: in memory, for as long as they may be. */
export class ReportSender {
  readonly #retrier: RequestRetrier;
  readonly #past = new Map<ConversationId, Past>();

  constructor(retrier: RequestRetrier) {
    this.#retrier = retrier;
  }

  /** A conversation is over. */
  ended(id: ConversationId, messages: readonly Message[], policy: Policy | null): void {
    const now = monotonicNow();
    const handable = policy?.history === 'reports' ? messages.slice(-LIMITS.reportMessagesMax) : [];
    this.#past.set(id, { endedAt: now, messages: handable });
    for (const [other, { endedAt }] of this.#past) {
      if (this.#past.size > PAST_MAX || now - endedAt > TIMES.reportMs) this.#past.delete(other);
    }
  }

  /**
   * `shown`: the messages on view, where it is the conversation on view.
   * @throws ChatError `text_refused`, `not_in_conversation`, `timeout`, or the service's refusal.
   */
  async send(
    { reason, comment = '', messages = false }: Report,
    conversationId: ConversationId,
    shown: readonly Message[] | null,
    policy: Policy | null,
  ): Promise<void> {
    const past = this.#past.get(conversationId);
    const withinMs = past === undefined ? TIMES.reportMs : past.endedAt + TIMES.reportMs - monotonicNow();
    if (withinMs <= 0) throw new ChatError('not_in_conversation');
    const words = comment.trim();
    if (words.length > LIMITS.commentMaxChars) throw new ChatError('text_refused');
    const count = Math.min(messages === true ? LIMITS.reportMessagesMax : Number(messages), LIMITS.reportMessagesMax);
    const canHandOver = policy?.history === 'reports' && count >= 1;
    const handed = canHandOver ? (shown ?? past?.messages ?? []).slice(-count).map(asReported) : [];
    await this.#retrier.ask(
      'conversation:report',
      { conversationId, reason, ...(words && { comment: words }), ...(handed.length > 0 && { messages: handed }) },
      { withinMs },
    );
  }
}

const asReported = ({ from, text }: Message): ReportedMessage => ({ from, text });
