import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Chat } from '../src/chat.ts';
import { Client } from '../src/client.ts';
import type { TransportConnection, TransportEvents, Push, RequestOutcome } from '../src/connection/transport.ts';
import {
  type ConversationId,
  type ErrorCode,
  type FindPayload,
  type FindReply,
  type RequestName,
  type RequestPayload,
  type ResumeToken,
  type SessionState,
  TIMES,
} from '../src/protocol/index.ts';
import { noTabLock } from '../src/tabs/tab-lock.ts';
import { info, NOTHING_AGREED, POLICY } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface Asked {
  readonly name: RequestName;
  readonly payload: unknown;
  readonly answer: (outcome: RequestOutcome<never>) => void;
}

type Place =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; readonly find: FindPayload }
  | { readonly kind: 'chatting'; readonly id: ConversationId; readonly find: FindPayload };

/** The service's side of one connection: what is on its way in each direction, in order. */
class Line implements TransportConnection {
  readonly resume: ResumeToken | undefined;
  readonly events: TransportEvents;
  readonly asked: Asked[] = [];
  readonly told: (() => void)[] = [];
  isOpen = true;
  isReady = false;
  readonly #open = new Set<(outcome: RequestOutcome<never>) => void>();

  constructor(resume: ResumeToken | undefined, events: TransportEvents) {
    this.resume = resume;
    this.events = events;
  }

  request<Name extends RequestName>(name: Name, payload: RequestPayload<Name>): Promise<RequestOutcome<Name>> {
    return new Promise((resolve) => {
      const answer = (outcome: RequestOutcome<never>): void => {
        clearTimeout(timer);
        this.#open.delete(answer);
        resolve(outcome as RequestOutcome<Name>);
      };
      const timer = setTimeout(() => answer({ kind: 'unknown' }), TIMES.replyTimeoutMs);
      this.#open.add(answer);
      this.asked.push({ name, payload, answer });
    });
  }

  send(): void {
    // Frames are not looked at here.
  }

  close(): void {
    this.isOpen = false;
    for (const answer of this.#open) answer({ kind: 'unknown' });
  }
}

const ACTIONS = [
  'find',
  'find',
  'abort',
  'cancel',
  'leave',
  'skip',
  'block',
  'connect',
  'connect',
  'serve',
  'serve',
  'serve',
  'serve',
  'deliver',
  'deliver',
  'deliver',
  'deliver',
  'deliver all',
  'reload',
  'all goes well',
  'all goes well',
  'all goes well',
  'all goes well',
  'match',
  'match',
  'peer leaves',
  'unconfirmed',
  'cut',
  'lose request',
  'lose reply',
  'rate_limited',
  'unavailable',
  'proof_needed',
  'session_gone',
  'forget',
  'wait 100',
  'wait 1000',
  'wait 6000',
] as const;
type Action = (typeof ACTIONS)[number];

/** A visitor, and a service that keeps to the protocol; everything between them in whatever order the actions say. */
class World {
  chat: Chat;
  #page = 0;
  #ids = 0;
  #text: string | null = null;
  #lastFound: string | null = null;
  #areCriteriaOpen = false;
  readonly faults: string[] = [];
  readonly trace: string[] = [];
  #lines: Line[] = [];
  #count = 0;
  #open = new Map<number, string>();
  #place: Place = { kind: 'idle' };
  #token: ResumeToken | null = null;
  #former: ResumeToken | null = null;
  /** Topic of the search that the visitor has not given up; `null` for none. */
  wish: string | null = null;
  #abort: AbortController | null = null;
  /** Conversations the visitor has left or blocked by themselves. */
  readonly #left = new Set<string>();
  readonly #madeFor = new Map<string, string>();
  requests = 0;

  constructor() {
    this.chat = this.#load();
  }

  #load(): Chat {
    const page = (this.#page += 1);
    const isHere = (): boolean => page === this.#page;
    const chat: Chat = new Client({
      connectTransport: (resume, events) => {
        const line = new Line(resume, events);
        if (isHere()) this.#lines.push(line);
        return line;
      },
      storage: {
        read: () => this.#text,
        write: (text) => {
          if (isHere()) this.#text = text;
          return true;
        },
        remove: () => {
          if (isHere()) this.#text = null;
        },
      },
      lock: () => noTabLock,
      random: () => 0.5,
      newId: (chars) => String((this.#ids += 1)).padStart(chars, '0'),
    });
    chat.on('started', () => {
      if (isHere()) this.wish = null;
    });
    chat.on('ended', ({ reason }) => {
      // The service looks on by itself.
      if (isHere() && reason === 'unconfirmed') this.wish = this.#lastFound;
    });
    return chat;
  }

  get #line(): Line | undefined {
    return this.#lines.at(-1);
  }

  get open(): string[] {
    return [...this.#open.values()];
  }

  get place(): string {
    const place = this.#place;
    // Without a connection nobody is matched, and the session ends with the grace period.
    if (this.#line?.isOpen !== true) return 'idle';
    return place.kind === 'waiting'
      ? `waiting ${this.#areCriteriaOpen ? this.wish : place.find.topic}`
      : place.kind === 'chatting'
        ? `chatting ${place.id}`
        : 'idle';
  }

  get status(): string {
    const { state } = this.chat.snapshot();
    return state.status === 'waiting'
      ? `waiting ${this.wish}`
      : state.status === 'chatting'
        ? `chatting ${state.conversationId}`
        : state.status === 'ended' || state.status === 'refused'
          ? 'idle'
          : state.status;
  }

  async act(action: Action): Promise<void> {
    this.#act(action);
    for (let step = 0; action === 'all goes well' && step < 5; step += 1) {
      await vi.advanceTimersByTimeAsync(0);
      this.#act('serve');
      this.#act('deliver all');
    }
    await vi.advanceTimersByTimeAsync(action.startsWith('wait') ? Number(action.slice(5)) : 0);
    this.trace.push(`${action} → ${this.status} / ${this.place} [${this.#line?.asked.map((a) => a.name)}]`);
  }

  #follow(words: string, promise: Promise<unknown>, then: (result: unknown) => void = () => undefined): void {
    const id = (this.#count += 1);
    this.#open.set(id, words);
    const page = this.#page;
    promise.then(
      (result) => {
        if (page !== this.#page) return;
        this.#open.delete(id);
        this.trace.push(`   ${words}: ${String(result)}`);
        then(result);
      },
      (error: { code: string }) => {
        if (page !== this.#page) return;
        this.#open.delete(id);
        this.trace.push(`   ${words}: rejected ${error.code}`);
        then(error);
      },
    );
  }

  #find(how: 'find' | 'skip'): void {
    const topic = `t${(this.#count += 1)}`;
    const { state } = this.chat.snapshot();
    if (how === 'find' && state.status === 'chatting') return;
    if (how === 'skip' && !['chatting', 'ended'].includes(state.status)) return;
    if (state.status === 'chatting') this.#left.add(state.conversationId);
    const before = this.wish;
    this.wish = topic;
    this.#lastFound = topic;
    const abort = new AbortController();
    this.#abort = abort;
    const promise = how === 'find' ? this.chat.find({ topic }, { signal: abort.signal }) : this.chat.skip({ topic });
    this.#follow(`${how} ${topic}`, promise, (result) => {
      // A refused search leaves the one before it, if that went on.
      if (result instanceof Error && this.wish === topic)
        this.wish = this.chat.snapshot().state.status === 'waiting' ? before : null;
    });
  }

  #act(action: Action): void {
    const line = this.#line;
    const { state } = this.chat.snapshot();
    switch (action) {
      case 'find':
      case 'skip':
        this.#find(action);
        return;
      case 'abort':
        if (this.#abort === null || this.#abort.signal.aborted) return;
        // Only while the search of this signal has not been answered.
        if (this.open.some((words) => words === `find ${this.wish}`)) this.wish = null;
        this.#abort.abort();
        return;
      case 'cancel':
        if (state.status !== 'waiting') return;
        {
          const { wish } = this;
          this.#follow(`cancel ${wish}`, this.chat.cancel(), (result) => {
            if (result === 'cancelled' && this.wish === wish) this.wish = null;
          });
        }
        return;
      case 'leave':
        if (state.status === 'chatting') this.#left.add(state.conversationId);
        this.wish = null;
        this.#follow('leave', this.chat.leave());
        return;
      case 'block':
        if (state.status !== 'chatting' && state.status !== 'ended') return;
        this.#left.add(state.conversationId);
        this.#follow('block', this.chat.block());
        return;
      case 'connect':
        if (line === undefined || !line.isOpen || line.isReady) return;
        this.#connect(line);
        return;
      case 'serve':
      case 'lose reply':
      case 'rate_limited':
      case 'unavailable':
      case 'proof_needed':
      case 'session_gone':
        if (line?.isReady === true) this.#serve(line, action);
        return;
      case 'lose request':
        line?.asked.shift();
        return;
      case 'deliver':
        if (line?.isOpen === true) line.told.shift()?.();
        return;
      case 'deliver all':
        // As packets of one body do: in one turn.
        while (line?.isOpen === true && line.told.length > 0) line.told.shift()!();
        return;
      case 'all goes well':
        this.#act('connect');
        this.#act('deliver all');
        return;
      case 'reload':
        if (line !== undefined) line.isOpen = false;
        this.#open.clear();
        this.#abort = null;
        if (this.#text === null) this.wish = null;
        this.chat = this.#load();
        void this.chat.resume();
        return;
      case 'match': {
        if (this.#place.kind !== 'waiting' || line?.isReady !== true || !line.isOpen) return;
        const id = `c${(this.#count += 1)}` as ConversationId;
        this.#madeFor.set(id, this.#place.find.topic!);
        this.#place = { kind: 'chatting', id, find: this.#place.find };
        this.#push({ name: 'conversation:started', payload: { ...info(id), policy: POLICY } });
        return;
      }
      case 'peer leaves':
      case 'unconfirmed': {
        if (this.#place.kind !== 'chatting') return;
        const { id, find } = this.#place;
        // The search that goes on is the one before what was asked for meanwhile: of that only the end is compared.
        if (find.topic !== this.#lastFound) this.#areCriteriaOpen = true;
        const isBack = action === 'unconfirmed' && line?.isReady === true && line.isOpen;
        this.#place = isBack ? { kind: 'waiting', find } : { kind: 'idle' };
        this.#push({
          name: 'conversation:ended',
          payload: { conversationId: id, reason: isBack ? 'unconfirmed' : 'peer_left' },
        });
        return;
      }
      case 'cut':
        if (line?.isOpen !== true) return;
        line.close();
        line.events.lost({ kind: 'lost' });
        return;
      case 'forget':
        this.#token = null;
        this.#former = null;
        this.#place = { kind: 'idle' };
        // As soon as it notices.
        this.#push({ name: 'session:refused', payload: { code: 'session_gone', message: 'gone' } });
        return;
      default:
    }
  }

  #connect(line: Line): void {
    line.isReady = true;
    const recovered = line.resume !== undefined && [this.#token, this.#former].includes(line.resume);
    if (!recovered) this.#place = { kind: 'idle' };
    this.#former = line.resume ?? null;
    this.#token = `r_${String((this.#count += 1)).padStart(22, '0')}` as ResumeToken;
    const place = this.#place;
    const state: SessionState =
      place.kind === 'chatting'
        ? { status: 'chatting', conversation: info(place.id), peer: 'here' }
        : place.kind === 'waiting'
          ? { status: 'waiting', waitingForMs: 0 }
          : { status: 'idle' };
    const payload = { resume: this.#token, recovered, policy: POLICY, agreed: NOTHING_AGREED, now: 0, state };
    this.#push({ name: 'session:ready', payload });
  }

  #push(push: Push): void {
    const line = this.#line;
    if (line?.isReady !== true || !line.isOpen) return;
    line.told.push(() => {
      const { wish } = this;
      line.events.push(push);
      if (push.name !== 'conversation:started') return;
      const { conversationId: id } = push.payload;
      const { state } = this.chat.snapshot();
      const isTaken = state.status === 'chatting' && state.conversationId === id;
      if (wish !== null && this.#madeFor.get(id) === wish && !isTaken && !this.#left.has(id))
        this.faults.push(`the match ${id} of ${wish} was turned down`);
      if (wish === null && isTaken && this.place === `chatting ${id}` && !this.#wasShown.has(id))
        this.faults.push(`${id} was taken that nobody wished for`);
      if (isTaken) this.#wasShown.add(id);
    });
  }
  readonly #wasShown = new Set<string>();

  #serve(line: Line, how: Action): void {
    const request = line.asked.shift();
    if (request === undefined) return;
    this.requests += 1;
    const { name, answer } = request;
    const refuse = (code: ErrorCode): void => {
      line.told.push(() => answer({ kind: 'refused', error: { code, message: code } }));
    };
    if (how === 'rate_limited' || how === 'unavailable' || how === 'session_gone') {
      refuse(how);
      return;
    }
    const isSearch = name === 'match:find' || (name === 'conversation:leave' && 'next' in (request.payload as object));
    if (how === 'proof_needed' && isSearch) {
      refuse(how);
      return;
    }
    if (this.#token === null) {
      refuse('session_gone');
      return;
    }
    const data = this.#carryOut(request);
    if (how === 'lose reply') return;
    if (typeof data === 'string') refuse(data);
    else line.told.push(() => answer({ kind: 'answered', data: data as never }));
  }

  #search(find: FindPayload): FindReply['status'] | null {
    if (this.#place.kind === 'chatting') return this.#place.find.requestId === find.requestId ? 'matched' : null;
    this.#place = { kind: 'waiting', find };
    return 'waiting';
  }

  #carryOut({ name, payload }: Asked): object | ErrorCode {
    switch (name) {
      case 'match:find': {
        const status = this.#search(payload as FindPayload);
        return status === null ? 'already_in_conversation' : { status };
      }
      case 'match:cancel':
        if (this.#place.kind === 'chatting') return { status: 'already_matched' };
        this.#place = { kind: 'idle' };
        return { status: 'cancelled' };
      case 'conversation:leave':
      case 'conversation:block': {
        const { conversationId, next } = payload as RequestPayload<'conversation:leave'>;
        const place = this.#place;
        if (place.kind === 'chatting' && place.id === conversationId) {
          this.#place = { kind: 'idle' };
          this.#push({ name: 'conversation:ended', payload: { conversationId, reason: 'you_left' } });
        }
        if (name === 'conversation:block') return { status: 'blocked' };
        return { status: 'left', next: next === undefined ? null : this.#search(next) };
      }
      default:
        return 'rate_limited';
    }
  }

  /** All goes well from here on. */
  async calmDown(): Promise<void> {
    for (let round = 0; round < 40; round += 1) {
      this.#act('connect');
      for (let step = 0; step < 20; step += 1) {
        this.#act('serve');
        this.#act('deliver');
        await vi.advanceTimersByTimeAsync(0);
      }
      await vi.advanceTimersByTimeAsync(2_000);
    }
    this.trace.push(`calm → ${this.status} / ${this.place}`);
  }
}

async function play(actions: readonly Action[]): Promise<void> {
  const world = new World();
  try {
    for (const action of ['find', ...actions] as const) await world.act(action);
    await world.calmDown();
    const { requests } = world;
    await world.calmDown();
    expect(
      { open: world.open, faults: world.faults, service: world.place, more: world.requests - requests },
      world.trace.join('\n'),
    ).toEqual({ open: [], faults: [], service: world.status, more: 0 });
  } finally {
    void world.chat.close();
    await vi.advanceTimersByTimeAsync(2_000);
  }
}

const CHATTING = ['all goes well', 'match', 'all goes well'] as const satisfies readonly Action[];

it.each<[string, ...Action[]]>([
  [
    'takes the match of a search begun after one was given up in a conversation that the service was not told the end of',
    ...CHATTING,
    ...([
      'skip',
      'lose request',
      'leave',
      'find',
      'cut',
      'wait 1000',
      'all goes well',
      'match',
      'all goes well',
    ] as const),
  ],
  [
    'cancels a search that was taken at a first try, and refused a proof at the second',
    ...(['connect', 'deliver', 'lose reply', 'wait 6000', 'proof_needed'] as const),
  ],
  [
    'cancels the search of a skip that was taken at a first try, and refused a proof at the second',
    ...CHATTING,
    ...(['skip', 'lose reply', 'wait 6000', 'proof_needed'] as const),
  ],
  [
    'cancels a search that goes on there and is refused when it is asked for on a new connection',
    ...(['all goes well', 'cut', 'wait 1000', 'connect', 'deliver', 'rate_limited'] as const),
  ],
  [
    'cancels a search that was taken after the conversation that came before its answer was over',
    ...(['all goes well', 'match', 'peer leaves', 'find'] as const),
  ],
])('%s', async (_, ...actions) => {
  await play(actions);
});

it('agrees with the service in the end, whatever is asked, lost, refused or cut, and turns down no match that is wished for', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom(...ACTIONS), { minLength: 3, maxLength: 40 }), play), {
    numRuns: 100,
  });
}, 120_000);
