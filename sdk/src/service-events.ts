import { type ChatView, IDLE } from './chat-view.ts';
import type { CommandQueue } from './commands/command-queue.ts';
import type { ConsentTracker } from './commands/consent-tracker.ts';
import type { ReportSender } from './commands/report-sender.ts';
import type { RequestRetrier } from './commands/request-retrier.ts';
import type { ConversationPush } from './connection/reconnecting-connection.ts';
import { type ActiveConversation, chatting } from './conversation/active-conversation.ts';
import { ChatError } from './errors.ts';
import type { ChatEvents } from './events.ts';
import { assertNever } from './internal/assert-never.ts';
import { unixNow } from './internal/clock.ts';
import type { Waiters } from './internal/waiters.ts';
import type { ConversationInfo, EndReason, PeerPresence, Policy, PushPayload, WaitStatus } from './protocol/index.ts';

export interface ServiceEventsParts {
  readonly view: ChatView;
  readonly active: ActiveConversation;
  readonly commands: CommandQueue;
  readonly retrier: RequestRetrier;
  readonly reports: ReportSender;
  readonly consent: ConsentTracker;
  /** Callers that wait for the connection. */
  readonly connectors: Waiters;
}

/** Handler of what the connection and the service tell: makes the chat's state and events of it. */
export class ServiceEvents {
  readonly #view: ChatView;
  readonly #active: ActiveConversation;
  readonly #commands: CommandQueue;
  readonly #retrier: RequestRetrier;
  readonly #reports: ReportSender;
  readonly #consent: ConsentTracker;
  readonly #connectors: Waiters;

  constructor({ view, active, commands, retrier, reports, consent, connectors }: ServiceEventsParts) {
    this.#view = view;
    this.#active = active;
    this.#commands = commands;
    this.#retrier = retrier;
    this.#reports = reports;
    this.#consent = consent;
    this.#connectors = connectors;
  }

  ready({ recovered, policy, agreed, state }: PushPayload<'session:ready'>): void {
    if (this.#view.isClosed) return;
    this.#commands.ready(recovered, state);
    this.#connectors.resolve();
    this.#consent.sessionReady(policy, agreed);
    this.#retrier.ready();
    const running = state.status === 'chatting' ? state.conversation : null;
    if (this.#active.current !== null && this.#active.current.id !== running?.conversationId) {
      this.#end(recovered ? 'peer_left' : 'service_reset');
    }
    if (state.status === 'chatting') this.#reconcile(state.conversation, state.peer);
    this.#commands.resume();
  }

  lost(): void {
    if (this.#view.isClosed) return;
    this.#active.current?.disconnected();
    this.#commands.lost();
  }

  refused(error: ChatError): void {
    if (this.#view.isClosed) return;
    const ended = this.endConversation('service_reset');
    const isAwaited = !this.#connectors.isEmpty || this.#commands.isAwaited;
    this.rejectAll(error);
    // What was said stays on view; `find()` will hear the refusal.
    if (this.#view.state.status !== 'ended') this.#view.show({ state: { status: 'refused', error } });
    if (ended !== null) this.#view.emitter.emit('ended', ended);
    if (!isAwaited) this.#view.emitter.emit('error', error);
  }

  push(push: ConversationPush): void {
    if (this.#view.isClosed) return;
    switch (push.name) {
      case 'conversation:started':
        this.#started(push.payload);
        return;
      case 'conversation:frame':
        this.#active.get(push.payload.conversationId)?.receive(push.payload);
        return;
      case 'conversation:throttled':
        this.#throttled(push.payload);
        return;
      case 'conversation:peer':
        this.#active.get(push.payload.conversationId)?.peerIs(push.payload.presence);
        return;
      case 'conversation:ended':
        if (this.#active.get(push.payload.conversationId) !== null) this.#endedThere(push.payload.reason);
        else this.#active.noteEnded(push.payload.conversationId);
        return;
      case 'match:status':
        this.#waitGoesOn(push.payload);
        return;
      case 'site:presence':
        if (this.#view.show({ online: push.payload.online })) this.#view.emitter.emit('online', push.payload.online);
        return;
      default:
        assertNever(push);
    }
  }

  #throttled({ conversationId, retryAfterMs }: PushPayload<'conversation:throttled'>): void {
    const conversation = this.#active.get(conversationId);
    if (conversation === null) return;
    conversation.throttled(retryAfterMs);
    this.#view.emitter.emit('error', new ChatError('rate_limited', { retryAfterMs }));
  }

  #waitGoesOn(progress: WaitStatus): void {
    if (this.#view.state.status !== 'waiting') return;
    this.#view.show({ state: { status: 'waiting', since: unixNow() - progress.waitingForMs, progress } });
  }

  #endedThere(reason: EndReason): void {
    if (reason !== 'unconfirmed' || this.#commands.lastFind === null) {
      this.#end(reason);
      return;
    }
    // The service took the search up again: this visitor waits, with the place they had.
    const ended = this.endConversation(reason);
    this.#commands.takenUp();
    this.#view.show({ state: { status: 'waiting', since: unixNow(), progress: null } });
    if (ended !== null) this.#view.emitter.emit('ended', ended);
  }

  /** The service says on connecting that this conversation runs. */
  #reconcile(info: ConversationInfo, presence: PeerPresence): void {
    // It may have been over here before the service could be told.
    this.#active.noteRunning(info.conversationId);
    if (this.#active.get(info.conversationId) === null) this.#started(info);
    this.#active.get(info.conversationId)?.connected(presence);
  }

  /** Told again for a conversation that runs here or is over here, it changes nothing. */
  #started(info: ConversationInfo & { readonly policy?: Policy }): void {
    const { conversationId, shared } = info;
    if (this.#active.get(conversationId) !== null) return;
    if (this.#active.hasEnded(conversationId) || this.#commands.isLeaving(conversationId)) return;
    // Nobody is in two conversations: one that still seemed to run here is over.
    if (this.#active.current !== null) this.#end('peer_left');
    if (!this.#commands.wants(conversationId)) {
      this.#active.noteEnded(conversationId);
      this.#commands.turnDown(conversationId);
      return;
    }
    const conversation = this.#active.begin(info, 'new');
    this.#commands.matched();
    conversation.connected('here');
    const state = chatting(conversation);
    // A listener to the change may leave at once: its end comes after its beginning.
    this.#view.emitter.inTransaction(() => {
      this.#view.show({ state, ...(info.policy === undefined ? {} : { policy: info.policy }) });
      this.#view.emitter.emit('started', { conversationId, shared });
    });
  }

  /** The conversation ended without this visitor's doing. */
  #end(reason: EndReason): void {
    const conversation = this.#active.current;
    const ended = this.endConversation(reason);
    if (conversation === null || ended === null) return;
    const { id: conversationId, shared, messages } = conversation;
    this.#view.show({
      state: reason === 'you_left' ? IDLE : { status: 'ended', conversationId, reason, shared, messages },
    });
    this.#view.emitter.emit('ended', ended);
  }

  /** From here on nothing of it is heard. Returns the event that is to follow once the snapshot shows it. */
  endConversation(reason: EndReason): ChatEvents['ended'] | null {
    const ended = this.#active.end();
    if (ended === null) return null;
    const { conversation, undelivered } = ended;
    this.#reports.ended(conversation.id, conversation.messages, this.#view.snapshot.policy);
    return { conversationId: conversation.id, reason, undelivered };
  }

  /** Nothing can be told to the service any more. */
  rejectAll(error: ChatError): void {
    this.#connectors.reject(error);
    this.#commands.refused(error);
    this.#retrier.refused(error);
  }
}
