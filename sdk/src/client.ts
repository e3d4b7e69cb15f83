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
import type { ConversationId, Criteria, FindPayload, RequestId, Run } from './protocol/index.ts';
import { TabOwnership } from './tabs/tab-ownership.ts';
import { SessionPersistence } from './tabs/session-persistence.ts';
import type { ActiveState, PersistedState } from './tabs/persisted-state.ts';
import { type Agreement, needsAgreement } from './commands/consent.ts';
import { ConsentTracker } from './commands/consent-tracker.ts';
import { RequestRetrier } from './commands/request-retrier.ts';
import { CommandQueue } from './commands/command-queue.ts';
import { prove } from './commands/proof-of-work.ts';
import { type Report, ReportSender } from './commands/report-sender.ts';
import { ReconnectingConnection } from './connection/reconnecting-connection.ts';
import type { TabLock, TabLockEvents } from './tabs/tab-lock.ts';
import { ServiceEvents } from './service-events.ts';
import type { TabStorage } from './tabs/tab-storage.ts';
import type { ChatSnapshot, ChatState } from './state.ts';
import type { ConnectTransport } from './connection/transport.ts';

/** Maximum time for which `close()` waits until the service has confirmed the end of the session. Milliseconds. */
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
  readonly #service: ServiceEvents;
  #criteria: Criteria = {};
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
        endConversation: () => this.#service.endConversation('you_left'),
      },
    });
    this.#connection = new ReconnectingConnection(
      { ...parts, tokens: this.#persistence },
      {
        connectionChanged: (connection) => {
          if (!this.#view.isClosed) this.#view.show({ connection });
        },
        ready: (ready) => this.#service.ready(ready),
        push: (push) => this.#service.push(push),
        lost: () => this.#service.lost(),
        superseded: () => this.#tabs.superseded(),
        returned: () => this.#tabs.returned(),
        refused: (error) => this.#service.refused(error),
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
      isInConversation: () => this.#active.current !== null,
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
    this.#service = new ServiceEvents({
      view: this.#view,
      active: this.#active,
      commands: this.#commands,
      retrier: this.#retrier,
      reports: this.#reports,
      consent: this.#consent,
      connectors: this.#connectors,
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

  /** Starts the connection, unless the chat is closed, which a listener may have done just now. */
  #start(): void {
    if (!this.#view.isClosed) this.#connection.start();
  }

  /** Nothing of what was begun goes on here. `isKept`: what the tab keeps stays, for it is not ours. */
  #letGo(error: ChatError, isKept = false): void {
    this.#active.handOver();
    this.#service.rejectAll(error);
    this.#connection.stop({ isKept });
  }

  /** Goes on from what another page or tab left; says whether there is a wait or a conversation in it. */
  #adopt(kept: PersistedState): boolean {
    const { find, isSearching, conversation } = kept;
    this.#persistence.adopt(kept);
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
    const { isSearching, departures, lastFind } = this.#commands;
    const conversation = this.#active.current?.kept ?? null;
    if (!isSearching && conversation === null && departures.length === 0) return null;
    return { find: lastFind, isSearching, departures, conversation };
  }

  async #search(criteria: Criteria, signal?: AbortSignal): Promise<void> {
    this.#criteria = criteria;
    const find: FindPayload = { ...criteria, requestId: this.#parts.newId(22) as RequestId };
    const waiting: ChatState =
      this.#view.state.status === 'waiting'
        ? this.#view.state
        : { status: 'waiting', since: unixNow(), progress: null };
    const left = this.#service.endConversation('you_left');
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
    const ended = this.#service.endConversation('you_left');
    if (ended === null) return;
    const told = tell(ended.conversationId);
    this.#view.show({ state: IDLE });
    this.#view.emitter.emit('ended', ended);
    await told;
  }

  async #close(): Promise<void> {
    const ended = this.#service.endConversation('you_left');
    const farewell = this.#connection.isReady ? this.#connection.request('session:close', {}) : null;
    this.#commands.close();
    this.#service.rejectAll(new ChatError('closed'));
    this.#view.show({ state: { status: 'closed' }, connection: { status: 'offline' } });
    if (ended !== null) this.#view.emitter.emit('ended', ended);
    this.#view.emitter.close();
    const released = this.#tabs.close();
    if (farewell !== null) await withinFarewell(farewell);
    this.#connection.stop();
    await released;
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
