import type { CallOptions, Chat } from './chat.ts';
import { ActiveConversation, chatting } from './conversation/active-conversation.ts';
import type { OwnMessage } from './conversation/transcript.ts';
import { ChatError } from './errors.ts';
import type { ChatEvents } from './events.ts';
import { assertNever } from './internal/assert-never.ts';
import { AwakeTimer, isPrerendered } from './internal/awake-timer.ts';
import { unixNow } from './internal/clock.ts';
import { callSafely, Emitter } from './internal/emitter.ts';
import { SnapshotStore } from './internal/snapshot-store.ts';
import { Timer } from './internal/timer.ts';
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
import type { ChatSnapshot, ChatState, Connection } from './state.ts';
import type { ConnectTransport } from './connection/transport.ts';

/** `close()` tells the service to forget the visitor, and waits no longer than this for its word. */
const FAREWELL_MS = 1_000;
/** A page that goes still holds the tab's lock for a moment when the next one asks for it. Milliseconds. */
const UNLOAD_MS = 1_500;
const IDLE: ChatState = { status: 'idle' };
const ELSEWHERE: ChatState = { status: 'elsewhere' };

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

interface Connector {
  resolve(): void;
  reject(error: ChatError): void;
}

/** Coordinates the parts of a chat: keeps the snapshot true to what the visitor asked for and to what the service says. */
export class Client implements Chat {
  readonly #parts: ClientParts;
  readonly #emitter = new Emitter<ChatEvents>();
  readonly #persistence: SessionPersistence;
  readonly #tab: TabLock;
  readonly #connection: ReconnectingConnection;
  readonly #commands: CommandQueue;
  readonly #retrier: RequestRetrier;
  readonly #reports: ReportSender;
  readonly #consent: ConsentTracker;
  readonly #active: ActiveConversation;
  readonly #snapshots = new SnapshotStore<ChatSnapshot>(
    { state: IDLE, connection: { status: 'offline' }, online: null, policy: null, agreed: null },
    'state',
  );
  #criteria: Criteria = {};
  /** The last search, which the service takes up again if its match falls through. */
  #lastFind: FindPayload | null = null;
  #connectors: Connector[] = [];
  #movingHere: Promise<void> | null = null;
  #resuming: Promise<boolean> | null = null;
  /** Runs while a prerendered page waits to be shown. */
  readonly #shown = new AwakeTimer();
  #stopAwaitingShown = (): void => undefined;
  #isClosed = false;
  #closing = Promise.resolve();

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#persistence = new SessionPersistence(parts.storage, () => this.#activeState());
    this.#tab = parts.lock({
      handOver: () => {
        const { kept } = this.#persistence;
        this.#goElsewhere();
        return kept;
      },
      taken: () => {
        this.#goElsewhere();
      },
      freed: () => {
        if (this.#state.status !== 'elsewhere') return;
        // What this tab has a copy of is over.
        this.#persistence.own();
        this.#show({ state: IDLE });
      },
    });
    this.#connection = new ReconnectingConnection(
      { ...parts, tokens: this.#persistence },
      {
        connectionChanged: (connection) => {
          this.#connectionChanged(connection);
        },
        ready: (ready) => {
          this.#ready(ready);
        },
        push: (push) => {
          this.#handlePush(push);
        },
        lost: () => {
          this.#lost();
        },
        superseded: () => {
          if (!this.#isBusy) return;
          this.#goElsewhere();
          this.#tab.release();
        },
        returned: () => this.#returned(),
        refused: (error) => {
          this.#refused(error);
        },
      },
    );
    const request: ReconnectingConnection['request'] = (name, payload) => this.#connection.request(name, payload);
    this.#retrier = new RequestRetrier({ isReady: () => this.#connection.isReady, request });
    this.#reports = new ReportSender(this.#retrier);
    this.#consent = new ConsentTracker({
      retrier: this.#retrier,
      agreed: () => this.#snapshot.agreed,
      show: (patch) => this.#show(patch),
      settled: () => {
        this.#commands.resume();
      },
    });
    this.#active = new ActiveConversation({
      newRun: () => parts.newId(8) as Run,
      path: this.#connection,
      store: this.#persistence,
      changed: (state) => this.#show({ state }),
      emitter: this.#emitter,
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
        if (this.#state.status === 'waiting') this.#show({ state: IDLE });
      },
      departuresChanged: () => {
        this.#persistence.markDirty();
      },
    });
  }

  // Bound, so that they can be taken off the chat, and called on a proxy of it (Vue's `reactive`), which has no private members.
  readonly snapshot = (): ChatSnapshot => this.#snapshot;

  readonly subscribe = (listener: (snapshot: ChatSnapshot) => void): (() => void) => {
    const undo = this.#emitter.on('change', listener);
    callSafely(listener, this.#snapshot);
    return undo;
  };

  readonly on = <Name extends keyof ChatEvents>(
    name: Name,
    listener: (event: ChatEvents[Name]) => void,
  ): (() => void) => {
    return this.#emitter.on(name, listener);
  };

  readonly connect = async ({ signal }: CallOptions = {}): Promise<void> => {
    this.#assertOpen(signal);
    if (this.#connection.isReady) return;
    const isHeldElsewhere = this.#tab.isHeldElsewhere();
    if (typeof isHeldElsewhere === 'boolean' ? isHeldElsewhere : await isHeldElsewhere) this.#refuseElsewhere();
    this.#assertOpen(signal);
    let abort = (): void => undefined;
    const connected = new Promise<void>((resolve, reject) => {
      const connector = { resolve, reject };
      this.#connectors.push(connector);
      abort = () => {
        this.#connectors = this.#connectors.filter((other) => other !== connector);
        reject(new ChatError('aborted'));
      };
    });
    signal?.addEventListener('abort', abort);
    if (this.#state.status === 'refused') this.#show({ state: IDLE });
    this.#start();
    try {
      await connected;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  };

  readonly resume = (): Promise<boolean> => {
    if (this.#isClosed) return Promise.resolve(false);
    return (this.#resuming ??= this.#resume().then((isTakenUp) => {
      // A later page of the tab may leave something yet, and this one come back from the back/forward cache.
      if (!isTakenUp) this.#resuming = null;
      return isTakenUp;
    }));
  };

  readonly takeOver = (): Promise<void> => {
    if (this.#state.status !== 'elsewhere') return Promise.resolve();
    return (this.#movingHere ??= this.#moveHere().finally(() => {
      this.#movingHere = null;
    }));
  };

  readonly useHere = this.takeOver;

  readonly find = async (criteria: Criteria = {}, { signal }: CallOptions = {}): Promise<void> => {
    this.#assertOpen(signal);
    if (this.#active.current !== null) throw new ChatError('wrong_state', { message: 'Already in a conversation.' });
    const { rules, ageBands } = needsAgreement({ policy: this.#snapshot.policy, agreed: this.#consent.expected() });
    if (rules !== null || ageBands.length > 0) throw new ChatError('agreement_needed');
    const isOurs = this.#tab.take();
    if (isOurs !== true) await this.#takeTab(isOurs, signal);
    await this.#search(criteria, signal);
  };

  readonly cancel = async (): Promise<'cancelled' | 'already_matched'> => {
    if (this.#active.current !== null) return 'already_matched';
    if (!this.#commands.isSearching) {
      // Still asking the other tabs.
      if (this.#state.status === 'waiting') this.#show({ state: IDLE });
      return 'cancelled';
    }
    const result = this.#commands.cancel();
    // Without a connection the search is over at once.
    if (!this.#commands.isSearching && this.#state.status === 'waiting') this.#show({ state: IDLE });
    return await result;
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
    switch (this.#state.status) {
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
    switch (this.#state.status) {
      case 'chatting':
        await this.#leave((id) => this.#commands.leave(id));
        return;
      case 'waiting': {
        const told = this.#commands.dropSearch();
        this.#show({ state: IDLE });
        await told;
        return;
      }
      case 'ended':
      case 'refused':
        this.#show({ state: IDLE });
        return;
      case 'idle':
      case 'elsewhere':
      case 'closed':
        return;
      default:
        assertNever(this.#state);
    }
  };

  readonly block = async (): Promise<void> => {
    this.#assertOpen();
    if (this.#state.status === 'chatting') {
      await this.#leave((id) => this.#commands.block(id));
    } else if (this.#state.status === 'ended') {
      const told = this.#commands.block(this.#state.conversationId);
      this.#show({ state: IDLE });
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
    const { state, policy } = this.#snapshot;
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
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#closing = this.#close();
    }
    return this.#closing;
  };

  readonly [Symbol.asyncDispose] = (): Promise<void> => {
    return this.close();
  };

  get #snapshot(): ChatSnapshot {
    return this.#snapshots.current;
  }

  get #state(): ChatState {
    return this.#snapshot.state;
  }

  #assertOpen(signal?: AbortSignal): void {
    if (this.#isClosed) throw new ChatError('closed');
    if (signal?.aborted === true) throw new ChatError('aborted');
  }

  /** Waits for what the other tabs of this site say. @throws ChatError `open_elsewhere`, `aborted`. */
  async #takeTab(isOurs: boolean | Promise<boolean>, signal?: AbortSignal): Promise<void> {
    const former = this.#state;
    if (former.status !== 'waiting') this.#show({ state: { status: 'waiting', since: unixNow(), progress: null } });
    const asking = this.#state;
    const hasIt = await isOurs;
    if (this.#state === asking && signal?.aborted === true) this.#show({ state: former });
    if (this.#state === asking) {
      if (!hasIt) this.#refuseElsewhere();
      return;
    }
    // Cancelled or closed meanwhile.
    if (hasIt && !this.#isBusy) this.#tab.release();
    throw new ChatError(this.#isClosed ? 'closed' : 'aborted');
  }

  /** Not once it is closed, which a listener may have done just now. */
  #start(): void {
    if (!this.#isClosed) this.#connection.start();
  }

  get #isBusy(): boolean {
    return this.#state.status === 'waiting' || this.#state.status === 'chatting';
  }

  #refuseElsewhere(): never {
    this.#awaitTab();
    throw new ChatError('open_elsewhere');
  }

  /** Another tab has the chat: here it is to be seen no more until that one is done. */
  #awaitTab(): void {
    this.#connection.stop({ isKept: true });
    this.#show({ state: ELSEWHERE });
    this.#tab.watch();
  }

  /** The chat went to another tab. It is not over, so nothing is said to be. */
  #goElsewhere(): void {
    if (this.#isClosed) return;
    this.#letGo(new ChatError('open_elsewhere'));
    this.#show({ state: ELSEWHERE });
  }

  /** Nothing of what was begun goes on here. `isKept`: what the tab keeps stays, for it is not ours. */
  #letGo(error: ChatError, isKept = false): void {
    this.#active.handOver();
    this.#commands.refused(error);
    this.#retrier.refused(error);
    this.#connection.stop({ isKept });
    for (const connector of this.#connectors.splice(0)) connector.reject(error);
  }

  async #resume(): Promise<boolean> {
    // What this chat wrote itself it has, or has just left.
    if (!this.#persistence.isOutdated || this.#persistence.recall() === null) return false;
    // The page before still has the chat, and where there are no locks nothing else waits for it.
    if (isPrerendered()) await this.#whenShown();
    if (this.#isClosed) return false;
    const isOurs = this.#tab.take({ patienceMs: UNLOAD_MS });
    const hasIt = typeof isOurs === 'boolean' ? isOurs : await isOurs;
    if (this.#state.status !== 'idle') {
      // Closed meanwhile, or something else was begun.
      if (hasIt && !this.#isBusy) this.#tab.release();
      return false;
    }
    if (!hasIt) {
      this.#awaitTab();
      return true;
    }
    // Read once more: the page before goes on writing until it lets go of the lock.
    const kept = this.#persistence.recall();
    if (kept !== null && this.#adopt(kept)) return true;
    this.#tab.release();
    return false;
  }

  #whenShown(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopAwaitingShown = resolve;
      this.#shown.start(0, resolve);
    });
  }

  async #moveHere(): Promise<void> {
    const handed = await this.#tab.takeOver();
    if (this.#state.status !== 'elsewhere') {
      this.#tab.release();
      return;
    }
    const kept = handed ?? this.#persistence.recall();
    if (kept === null || !this.#adopt(kept)) this.#show({ state: IDLE });
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
      this.#show({ state: chatting(this.#active.begin(conversation.info, conversation.said ?? 'lost')) });
    } else if (isSearching) {
      this.#show({ state: { status: 'waiting', since: unixNow(), progress: null } });
    }
    this.#start();
    return conversation !== null || isSearching;
  }

  /** Back, after another page of this tab went on with what was kept: this one goes on from there, and with nothing if that page ended it. */
  #returned(): boolean {
    if (!this.#persistence.isOutdated) return false;
    const kept = this.#persistence.recall();
    if (!this.#isBusy) return kept !== null && this.#takeUpElsewhereBegun();
    const ended = kept === null ? this.#endConversation('you_left') : null;
    this.#letGo(new ChatError('aborted'), kept !== null);
    if (kept === null || !this.#adopt(kept)) this.#show({ state: IDLE });
    if (ended !== null) this.#emitter.emit('ended', ended);
    return true;
  }

  /** Back without anything under way, after another page of this tab began something: goes on with that. */
  #takeUpElsewhereBegun(): boolean {
    if (!['idle', 'ended'].includes(this.#state.status)) return false;
    this.#letGo(new ChatError('aborted'), true);
    this.#show({ state: IDLE });
    void this.#resume().then((isTakenUp) => {
      if (!isTakenUp && this.#state.status === 'idle') this.#start();
    });
    return true;
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
      this.#state.status === 'waiting' ? this.#state : { status: 'waiting', since: unixNow(), progress: null };
    this.#lastFind = find;
    const left = this.#endConversation('you_left');
    const held = this.#commands.search(find, left?.conversationId);
    // The state may already say so: it does while the other tabs are asked.
    this.#persistence.markDirty();
    const abort = (): void => {
      void this.#commands.dropSearch();
      if (this.#state.status === 'waiting') this.#show({ state: IDLE });
    };
    signal?.addEventListener('abort', abort);
    this.#show({ state: waiting });
    if (left !== null) this.#emitter.emit('ended', left);
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
    this.#show({ state: IDLE });
    this.#emitter.emit('ended', ended);
    await told;
  }

  async #close(): Promise<void> {
    const ended = this.#endConversation('you_left');
    const farewell = this.#connection.isReady ? this.#connection.request('session:close', {}) : null;
    const wasConnecting = this.#connectors.splice(0);
    this.#commands.close();
    this.#retrier.refused(new ChatError('closed'));
    this.#snapshots.update({ state: { status: 'closed' }, connection: { status: 'offline' } });
    this.#emitter.emit('change', this.#snapshot);
    if (ended !== null) this.#emitter.emit('ended', ended);
    this.#emitter.close();
    this.#shown.stop();
    this.#stopAwaitingShown();
    const released = this.#tab.close();
    for (const connector of wasConnecting) connector.reject(new ChatError('closed'));
    if (farewell !== null) await withinFarewell(farewell);
    this.#connection.stop();
    await released;
  }

  #connectionChanged(connection: Connection): void {
    if (!this.#isClosed) this.#show({ connection });
  }

  #ready({ recovered, policy, agreed, state }: PushPayload<'session:ready'>): void {
    if (this.#isClosed) return;
    this.#commands.ready(recovered, state);
    for (const connector of this.#connectors.splice(0)) connector.resolve();
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
    if (this.#isClosed) return;
    this.#active.current?.disconnected();
    this.#commands.lost();
  }

  #refused(error: ChatError): void {
    if (this.#isClosed) return;
    const ended = this.#endConversation('service_reset');
    const isAwaited = this.#connectors.length > 0 || this.#commands.isAwaited;
    for (const connector of this.#connectors.splice(0)) connector.reject(error);
    this.#commands.refused(error);
    this.#retrier.refused(error);
    // What was said stays on view; `find()` will hear the refusal.
    if (this.#state.status !== 'ended') this.#show({ state: { status: 'refused', error } });
    if (ended !== null) this.#emitter.emit('ended', ended);
    if (!isAwaited) this.#emitter.emit('error', error);
  }

  #handlePush(push: ConversationPush): void {
    if (this.#isClosed) return;
    switch (push.name) {
      case 'conversation:started':
        this.#started(push.payload);
        return;
      case 'conversation:frame':
        if (push.payload.conversationId !== this.#active.current?.id) return;
        this.#active.current.receive(push.payload);
        return;
      case 'conversation:throttled':
        if (push.payload.conversationId !== this.#active.current?.id) return;
        this.#active.current.throttled(push.payload.retryAfterMs);
        this.#emitter.emit('error', new ChatError('rate_limited', push.payload));
        return;
      case 'conversation:peer':
        if (push.payload.conversationId === this.#active.current?.id)
          this.#active.current.peerIs(push.payload.presence);
        return;
      case 'conversation:ended':
        if (push.payload.conversationId === this.#active.current?.id) this.#endedThere(push.payload.reason);
        else this.#active.noteEnded(push.payload.conversationId);
        return;
      case 'match:status':
        this.#waitGoesOn(push.payload);
        return;
      case 'site:presence':
        if (this.#show({ online: push.payload.online })) this.#emitter.emit('online', push.payload.online);
        return;
      default:
        assertNever(push);
    }
  }

  #waitGoesOn(progress: WaitStatus): void {
    if (this.#state.status !== 'waiting') return;
    this.#show({ state: { status: 'waiting', since: unixNow() - progress.waitingForMs, progress } });
  }

  #endedThere(reason: EndReason): void {
    if (reason !== 'unconfirmed' || this.#lastFind === null) {
      this.#end(reason);
      return;
    }
    // The service took the search up again: this visitor waits, with the place they had.
    const ended = this.#endConversation(reason);
    this.#commands.takenUp(this.#lastFind);
    this.#show({ state: { status: 'waiting', since: unixNow(), progress: null } });
    if (ended !== null) this.#emitter.emit('ended', ended);
  }

  /** The service says on connecting that this conversation runs. */
  #reconcile(info: ConversationInfo, presence: PeerPresence): void {
    // It may have been over here before the service could be told.
    this.#active.noteRunning(info.conversationId);
    if (this.#active.current?.id !== info.conversationId) this.#started(info);
    if (this.#active.current?.id === info.conversationId) this.#active.current.connected(presence);
  }

  /** Told again for a conversation that runs here or is over here, it changes nothing. */
  #started(info: ConversationInfo & { readonly policy?: Policy }): void {
    const { conversationId, shared } = info;
    if (this.#active.current?.id === conversationId) return;
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
    this.#emitter.inTransaction(() => {
      this.#show({ state, ...(info.policy === undefined ? {} : { policy: info.policy }) });
      this.#emitter.emit('started', { conversationId, shared });
    });
  }

  /** The conversation ended without this visitor's doing. */
  #end(reason: EndReason): void {
    const conversation = this.#active.current;
    const ended = this.#endConversation(reason);
    if (conversation === null || ended === null) return;
    const { id: conversationId, shared, messages } = conversation;
    this.#show({
      state: reason === 'you_left' ? IDLE : { status: 'ended', conversationId, reason, shared, messages },
    });
    this.#emitter.emit('ended', ended);
  }

  /** From here on nothing of it is heard. Returns the event that is to follow once the snapshot shows it. */
  #endConversation(reason: EndReason): ChatEvents['ended'] | null {
    const ended = this.#active.end();
    if (ended === null) return null;
    const { conversation, undelivered } = ended;
    this.#reports.ended(conversation.id, conversation.messages, this.#snapshot.policy);
    return { conversationId: conversation.id, reason, undelivered };
  }

  /** Persists what is under way, and releases the tab lock when nothing is. */
  #moved({ status }: ChatState): void {
    this.#persistence.markDirty();
    if (status === 'idle' || status === 'ended' || status === 'refused') this.#tab.release();
  }

  /** Shows what changed. Returns whether anything did. */
  #show(patch: Partial<ChatSnapshot>): boolean {
    const { state } = this.#snapshot;
    if (!this.#snapshots.update(patch)) return false;
    if (this.#state.status !== state.status) this.#moved(this.#state);
    this.#emitter.emit('change', this.#snapshot);
    return true;
  }
}

async function withinFarewell(farewell: Promise<unknown>): Promise<void> {
  const timer = new Timer();
  await Promise.race([farewell, new Promise<void>((resolve) => timer.start(FAREWELL_MS, resolve))]);
  timer.stop();
}
