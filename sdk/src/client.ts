import type { CallOptions, Chat } from './chat.ts';
import { ChatView, IDLE } from './chat-view.ts';
import { ActiveConversation, chatting } from './conversation/active-conversation.ts';
import type { OwnMessage } from './conversation/transcript.ts';
import { ChatError } from './errors.ts';
import type { ChatEvents } from './events.ts';
import { assertNever } from './internal/assert-never.ts';
import { unixNow } from './internal/clock.ts';
import { callSafely } from './internal/emitter.ts';
import { Timer } from './internal/timer.ts';
import { Waiters } from './internal/waiters.ts';
import type {
  ConversationId,
  ConversationInfo,
  Criteria,
  EndReason,
  FindPayload,
  PeerPresence,
  Policy,
  PushPayload,
  RequestId,
  Run,
  WaitStatus,
} from './protocol/index.ts';
import { TabOwnership } from './tabs/tab-ownership.ts';
import { SessionPersistence } from './tabs/session-persistence.ts';
import type { ActiveState, PersistedState } from './tabs/persisted-state.ts';
import { type Agreement, needsAgreement } from './commands/consent.ts';
import { ConsentTracker } from './commands/consent-tracker.ts';
import { RequestRetrier } from './commands/request-retrier.ts';
import { CommandQueue } from './commands/command-queue.ts';
import { prove } from './commands/proof-of-work.ts';
import { type Report, ReportSender } from './commands/report-sender.ts';
import { ReconnectingConnection, type ConversationPush } from './connection/reconnecting-connection.ts';
import type { TabLock, TabLockEvents } from './tabs/tab-lock.ts';
import type { TabStorage } from './tabs/tab-storage.ts';
import type { ChatSnapshot, ChatState } from './state.ts';
import type { ConnectTransport } from './connection/transport.ts';

/** `close()` tells the service to forget the visitor, and waits no longer than this for its word. */
const FAREWELL_MS = 1_000;

/** Parts of a client; a test passes its own. */
export interface ClientParts {
  readonly connectTransport: ConnectTransport;
  readonly storage: TabStorage;
  readonly lock: (events: TabLockEvents) => TabLock;
  /** In [0, 1). */
  readonly random: () => number;
  /** An unguessable id of so many characters. */
  readonly newId: (chars: number) => string;
}

/** Coordinates the parts of a chat: keeps the snapshot true to what the visitor asked for and to what the service says. */
export class Client implements Chat {
  readonly #parts: ClientParts;
  readonly #view = new ChatView(() => this.#statusChanged());
  readonly #persistence: SessionPersistence;
  readonly #tabs: TabOwnership;
  readonly #connection: ReconnectingConnection;
  readonly #commands: CommandQueue;
  readonly #retrier: RequestRetrier;
  readonly #reports: ReportSender;
  readonly #consent: ConsentTracker;
  readonly #active: ActiveConversation;
  #criteria: Criteria = {};
  /** The last search, which the service takes up again if its match falls through. */
  #lastFind: FindPayload | null = null;
  /** Wait for the connection. */
  readonly #connectors = new Waiters();
  #closing = Promise.resolve();

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#persistence = new SessionPersistence(parts.storage, () => this.#activeState());
    this.#tabs = new TabOwnership({
      view: this.#view,
      persistence: this.#persistence,
      lock: parts.lock,
      chat: {
        start: () => this.#start(),
        disconnect: () => this.#connection.stop({ isKept: true }),
        adopt: (kept) => this.#adopt(kept),
        letGo: (error, isKept) => this.#letGo(error, isKept),
        endConversation: () => this.#endConversation('you_left'),
      },
    });
    this.#connection = new ReconnectingConnection(
      { ...parts, tokens: this.#persistence },
      {
        connectionChanged: (connection) => {
          if (!this.#view.isClosed) this.#view.show({ connection });
        },
        ready: (ready) => this.#ready(ready),
        push: (push) => this.#handlePush(push),
        lost: () => this.#lost(),
        superseded: () => this.#tabs.superseded(),
        returned: () => this.#tabs.returned(),
        refused: (error) => this.#refused(error),
      },
    );
    const request: ReconnectingConnection['request'] = (name, payload) => this.#connection.request(name, payload);
    this.#retrier = new RequestRetrier({ isReady: () => this.#connection.isReady, request });
    this.#reports = new ReportSender(this.#retrier);
    this.#consent = new ConsentTracker({
      retrier: this.#retrier,
      agreed: () => this.#view.snapshot.agreed,
      show: (patch) => this.#view.show(patch),
      settled: () => {
        this.#commands.resume();
      },
    });
    this.#active = new ActiveConversation({
      newRun: () => parts.newId(8) as Run,
      path: this.#connection,
      store: this.#persistence,
      changed: (state) => this.#view.show({ state }),
      emitter: this.#view.emitter,
    });
    this.#commands = new CommandQueue({
      isReady: () => this.#connection.isReady && !this.#consent.isPending,
      request,
      prove: (stop) => prove(request, stop),
      reconnect: (keepsSession) => {
        this.#connection.reconnect(keepsSession);
      },
      random: parts.random,
      searchOver: () => {
        if (this.#view.state.status === 'waiting') this.#view.show({ state: IDLE });
      },
      departuresChanged: () => {
        this.#persistence.markDirty();
      },
    });
  }

  // Bound, so that they can be taken off the chat, and called on a proxy of it (Vue's `reactive`), which has no private members.
  readonly snapshot = (): ChatSnapshot => this.#view.snapshot;

  readonly subscribe = (listener: (snapshot: ChatSnapshot) => void): (() => void) => {
    const undo = this.#view.emitter.on('change', listener);
    callSafely(listener, this.#view.snapshot);
    return undo;
  };

  readonly on = <Name extends keyof ChatEvents>(
    name: Name,
    listener: (event: ChatEvents[Name]) => void,
  ): (() => void) => {
    return this.#view.emitter.on(name, listener);
  };

  readonly connect = async ({ signal }: CallOptions = {}): Promise<void> => {
    this.#assertOpen(signal);
    if (this.#connection.isReady) return;
    const isHeldElsewhere = this.#tabs.isHeldElsewhere();
    if (typeof isHeldElsewhere === 'boolean' ? isHeldElsewhere : await isHeldElsewhere) this.#tabs.refuse();
    this.#assertOpen(signal);
    const connected = this.#connectors.wait(signal);
    if (this.#view.state.status === 'refused') this.#view.show({ state: IDLE });
    this.#start();
    await connected;
  };

  readonly resume = (): Promise<boolean> => this.#tabs.resume();

  readonly takeOver = (): Promise<void> => this.#tabs.takeOver();

  readonly useHere = this.takeOver;

  readonly find = async (criteria: Criteria = {}, { signal }: CallOptions = {}): Promise<void> => {
    this.#assertOpen(signal);
    if (this.#active.current !== null) throw new ChatError('wrong_state', { message: 'Already in a conversation.' });
    const { rules, ageBands } = needsAgreement({
      policy: this.#view.snapshot.policy,
      agreed: this.#consent.expected(),
    });
    if (rules !== null || ageBands.length > 0) throw new ChatError('agreement_needed');
    const taking = this.#tabs.take(signal);
    if (taking !== null) await taking;
    await this.#search(criteria, signal);
  };

  readonly cancel = async (): Promise<'cancelled' | 'already_matched'> => {
    if (this.#active.current !== null) return 'already_matched';
    if (!this.#commands.isSearching) {
      // Still asking the other tabs.
      if (this.#view.state.status === 'waiting') this.#view.show({ state: IDLE });
      return 'cancelled';
    }
    return await this.#commands.cancel();
  };

  readonly send = (text: string): OwnMessage => {
    this.#assertOpen();
    if (this.#active.current === null) throw new ChatError('wrong_state', { message: 'There is no conversation.' });
    return this.#active.current.say(text);
  };

  readonly typing = (on: boolean): void => {
    this.#active.current?.type(on);
  };

  readonly skip = async (criteria?: Criteria): Promise<void> => {
    this.#assertOpen();
    switch (this.#view.state.status) {
      case 'chatting':
        await this.#search(criteria ?? this.#criteria);
        return;
      case 'ended':
        await this.find(criteria ?? this.#criteria);
        return;
      case 'waiting':
        // Skipped twice in a hurry, or just matched anew: the search is on already.
        if (criteria !== undefined) await this.#search(criteria);
        return;
      default:
        throw new ChatError('wrong_state', { message: 'There is no conversation to skip.' });
    }
  };

  readonly leave = async (): Promise<void> => {
    switch (this.#view.state.status) {
      case 'chatting':
        await this.#leave((id) => this.#commands.leave(id));
        return;
      case 'waiting': {
        const told = this.#commands.dropSearch();
        this.#view.show({ state: IDLE });
        await told;
        return;
      }
      case 'ended':
      case 'refused':
        this.#view.show({ state: IDLE });
        return;
      case 'idle':
      case 'elsewhere':
      case 'closed':
        return;
      default:
        assertNever(this.#view.state);
    }
  };

  readonly block = async (): Promise<void> => {
    this.#assertOpen();
    if (this.#view.state.status === 'chatting') {
      await this.#leave((id) => this.#commands.block(id));
    } else if (this.#view.state.status === 'ended') {
      const told = this.#commands.block(this.#view.state.conversationId);
      this.#view.show({ state: IDLE });
      await told;
    } else {
      throw new ChatError('wrong_state', { message: 'There is nobody to block.' });
    }
  };

  readonly agree = async (agreement: Agreement): Promise<void> => {
    this.#assertOpen();
    const told = this.#consent.tell(agreement);
    if (!this.#connection.isReady) {
      this.connect().catch((error: unknown) => {
        this.#retrier.refused(error as ChatError);
      });
    }
    await told;
  };

  readonly report = async (report: Report): Promise<void> => {
    this.#assertOpen();
    const { state, policy } = this.#view.snapshot;
    if (state.status === 'elsewhere') throw new ChatError('open_elsewhere');
    const shown = state.status === 'chatting' || state.status === 'ended' ? state : null;
    const id = report.conversationId ?? shown?.conversationId;
    if (id === undefined) throw new ChatError('wrong_state', { message: 'There is nobody to report.' });
    const messages = shown?.conversationId === id ? shown.messages : null;
    // A service that refused the chat may hear it yet.
    this.#start();
    await this.#reports.send(report, id, messages, policy);
  };

  readonly close = (): Promise<void> => {
    if (!this.#view.isClosed) this.#closing = this.#close();
    return this.#closing;
  };

  readonly [Symbol.asyncDispose] = (): Promise<void> => {
    return this.close();
  };

  #assertOpen(signal?: AbortSignal): void {
    if (this.#view.isClosed) throw new ChatError('closed');
    if (signal?.aborted === true) throw new ChatError('aborted');
  }

  /** Not once it is closed, which a listener may have done just now. */
  #start(): void {
    if (!this.#view.isClosed) this.#connection.start();
  }

  /** Nothing of what was begun goes on here. `isKept`: what the tab keeps stays, for it is not ours. */
  #letGo(error: ChatError, isKept = false): void {
    this.#active.handOver();
    this.#rejectAll(error);
    this.#connection.stop({ isKept });
  }

  /** Nothing can be told to the service any more. */
  #rejectAll(error: ChatError): void {
    this.#connectors.reject(error);
    this.#commands.refused(error);
    this.#retrier.refused(error);
  }

  /** Goes on from what another page or tab left; says whether there is a wait or a conversation in it. */
  #adopt(kept: PersistedState): boolean {
    const { find, isSearching, conversation } = kept;
    this.#persistence.adopt(kept);
    this.#lastFind = find;
    if (find !== null) {
      const { requestId: _, ...criteria } = find;
      this.#criteria = criteria;
    }
    this.#commands.restore(kept);
    if (conversation !== null) {
      this.#view.show({ state: chatting(this.#active.begin(conversation.info, conversation.said ?? 'lost')) });
    } else if (isSearching) {
      this.#view.show({ state: { status: 'waiting', since: unixNow(), progress: null } });
    }
    this.#start();
    return conversation !== null || isSearching;
  }

  /** State that would be lost if the page went now. */
  #activeState(): ActiveState | null {
    const { isSearching, departures } = this.#commands;
    const conversation = this.#active.current?.kept ?? null;
    if (!isSearching && conversation === null && departures.length === 0) return null;
    return { find: this.#lastFind, isSearching, departures, conversation };
  }

  async #search(criteria: Criteria, signal?: AbortSignal): Promise<void> {
    this.#criteria = criteria;
    const find: FindPayload = { ...criteria, requestId: this.#parts.newId(22) as RequestId };
    const waiting: ChatState =
      this.#view.state.status === 'waiting'
        ? this.#view.state
        : { status: 'waiting', since: unixNow(), progress: null };
    this.#lastFind = find;
    const left = this.#endConversation('you_left');
    const held = this.#commands.search(find, left?.conversationId);
    // The state may already say so: it does while the other tabs are asked.
    this.#persistence.markDirty();
    const abort = (): void => {
      void this.#commands.dropSearch();
      if (this.#view.state.status === 'waiting') this.#view.show({ state: IDLE });
    };
    signal?.addEventListener('abort', abort);
    this.#view.show({ state: waiting });
    if (left !== null) this.#view.emitter.emit('ended', left);
    this.#start();
    try {
      await held;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Out of the conversation at once; the service is told as soon as it can be. */
  async #leave(tell: (id: ConversationId) => Promise<void>): Promise<void> {
    const ended = this.#endConversation('you_left');
    if (ended === null) return;
    const told = tell(ended.conversationId);
    this.#view.show({ state: IDLE });
    this.#view.emitter.emit('ended', ended);
    await told;
  }

  async #close(): Promise<void> {
    const ended = this.#endConversation('you_left');
    const farewell = this.#connection.isReady ? this.#connection.request('session:close', {}) : null;
    this.#commands.close();
    this.#rejectAll(new ChatError('closed'));
    this.#view.show({ state: { status: 'closed' }, connection: { status: 'offline' } });
    if (ended !== null) this.#view.emitter.emit('ended', ended);
    this.#view.emitter.close();
    const released = this.#tabs.close();
    if (farewell !== null) await withinFarewell(farewell);
    this.#connection.stop();
    await released;
  }

  #ready({ recovered, policy, agreed, state }: PushPayload<'session:ready'>): void {
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

  #lost(): void {
    if (this.#view.isClosed) return;
    this.#active.current?.disconnected();
    this.#commands.lost();
  }

  #refused(error: ChatError): void {
    if (this.#view.isClosed) return;
    const ended = this.#endConversation('service_reset');
    const isAwaited = !this.#connectors.isEmpty || this.#commands.isAwaited;
    this.#rejectAll(error);
    // What was said stays on view; `find()` will hear the refusal.
    if (this.#view.state.status !== 'ended') this.#view.show({ state: { status: 'refused', error } });
    if (ended !== null) this.#view.emitter.emit('ended', ended);
    if (!isAwaited) this.#view.emitter.emit('error', error);
  }

  #handlePush(push: ConversationPush): void {
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
    if (reason !== 'unconfirmed' || this.#lastFind === null) {
      this.#end(reason);
      return;
    }
    // The service took the search up again: this visitor waits, with the place they had.
    const ended = this.#endConversation(reason);
    this.#commands.takenUp(this.#lastFind);
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
    const ended = this.#endConversation(reason);
    if (conversation === null || ended === null) return;
    const { id: conversationId, shared, messages } = conversation;
    this.#view.show({
      state: reason === 'you_left' ? IDLE : { status: 'ended', conversationId, reason, shared, messages },
    });
    this.#view.emitter.emit('ended', ended);
  }

  /** From here on nothing of it is heard. Returns the event that is to follow once the snapshot shows it. */
  #endConversation(reason: EndReason): ChatEvents['ended'] | null {
    const ended = this.#active.end();
    if (ended === null) return null;
    const { conversation, undelivered } = ended;
    this.#reports.ended(conversation.id, conversation.messages, this.#view.snapshot.policy);
    return { conversationId: conversation.id, reason, undelivered };
  }

  /** Persists what is under way, and releases the tab when nothing is. */
  #statusChanged(): void {
    this.#persistence.markDirty();
    if (['idle', 'ended', 'refused'].includes(this.#view.state.status)) this.#tabs.release();
  }
}

async function withinFarewell(farewell: Promise<unknown>): Promise<void> {
  const timer = new Timer();
  await Promise.race([farewell, new Promise<void>((resolve) => timer.start(FAREWELL_MS, resolve))]);
  timer.stop();
}
