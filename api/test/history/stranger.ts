import {
  SOCKET_PATH,
  type Criteria,
  type EndReason,
  type Frame,
  type PushPayload,
  type Reply,
  type RequestName,
} from '@passerby/sdk/protocol';
import { io, type Socket } from 'socket.io-client';
import { ORIGIN } from '../harness.ts';
import type { Answer, EventLog, LoggedEvent, Rest } from '../invariants/event-log.ts';

/** Time after which a request counts as never answered. Milliseconds. */
const UNANSWERED_MS = 10_000;

/** Raw visitor that acts at random, by a seed, and records all events. */
export class Stranger {
  readonly visitor: number;
  readonly criteria: Criteria;
  readonly #random: () => number;
  readonly #socket: Socket;
  readonly #seen: LoggedEvent[] = [];
  #asks = 0;
  #requests = 0;
  #present: string | null = null;
  #isWaiting = false;
  #isPromised = false;
  #isLeaving = false;
  #isComingBack = false;
  #token: string | null = null;
  /** Number that rises with every start and end, so that an answer can be distinguished from later events. */
  #turns = 0;
  #lastAt = 0;
  #changed: (() => void) | null = null;

  constructor(visitor: number, url: string, site: string, random: () => number) {
    this.visitor = visitor;
    this.#random = random;
    this.criteria = criteriaFrom(random);
    this.#socket = io(url, {
      path: SOCKET_PATH,
      forceNew: true,
      autoConnect: false,
      reconnection: false,
      transports: ['websocket'],
      query: { site },
      extraHeaders: { Origin: ORIGIN },
    });
    this.#socket.on('session:ready', (ready: PushPayload<'session:ready'>) => this.#ready(ready));
    this.#socket.on(
      'conversation:started',
      ({ conversationId, role }: { conversationId: string; role: string }, confirm: () => void) => {
        this.#see({ kind: 'started', conversationId, role, at: performance.now() });
        this.#present = conversationId;
        this.#isWaiting = this.#isPromised = false;
        this.#turn();
        confirm();
        this.#say(conversationId);
      },
    );
    this.#socket.on(
      'conversation:ended',
      ({ conversationId, reason }: { conversationId: string; reason: EndReason }) => {
        this.#see({ kind: 'ended', conversationId, reason, at: performance.now() });
        if (this.#present === conversationId) this.#present = null;
        if (reason === 'unconfirmed') this.#isWaiting = true;
        this.#turn();
      },
    );
    this.#socket.on('conversation:frame', ({ conversationId, body }: Frame) => {
      this.#see({ kind: 'heard', conversationId, text: String(body['text']) });
    });
  }

  /** Resolves once the visitor is admitted; retries after `unavailable`. */
  async arrive(): Promise<void> {
    for (let attempt = 0; attempt < 20; attempt++) {
      if (await this.#connect()) {
        this.#socket.on('disconnect', () => void this.#comeBack());
        return;
      }
      await this.#pause(200);
    }
    throw new Error(`visitor ${this.visitor} was never let in`);
  }

  #connect(): Promise<boolean> {
    const isIn = new Promise<boolean>((resolve) => {
      this.#socket.once('session:ready', () => resolve(true));
      this.#socket.once('disconnect', () => resolve(false));
      this.#socket.once('connect_error', () => resolve(false));
    });
    this.#socket.auth = { version: 1, ...(this.#token !== null && { resume: this.#token }) };
    this.#socket.connect();
    return isIn;
  }

  async #comeBack(): Promise<void> {
    if (this.#isLeaving || this.#isComingBack) return;
    this.#see({ kind: 'disconnected' });
    this.#isComingBack = true;
    for (let attempt = 0; attempt < 20 && !(await this.#connect()); attempt++) await this.#pause(200);
    this.#isComingBack = false;
  }

  #ready({ resume, state }: PushPayload<'session:ready'>): void {
    const isBack = this.#token !== null;
    this.#token = resume;
    if (!isBack) return;
    const running = state.status === 'chatting' ? state.conversation : null;
    const conversationId = running?.conversationId ?? null;
    this.#see({ kind: 'resumed', conversationId, role: running?.role ?? '' });
    this.#present = conversationId;
    this.#isWaiting = state.status === 'waiting';
    this.#isPromised = false;
    this.#turn();
  }

  /** Searches, talks, skips, cancels and blocks until it is time to stop, and then keeps its state. */
  async live(untilMs: number): Promise<void> {
    while (performance.now() < untilMs) {
      if (this.#present !== null) await this.#chat(this.#present);
      else if (this.#isWaiting || this.#isPromised) await this.#wait();
      else await this.#find();
    }
  }

  /** Searches until it is known to wait or to chat. */
  async settle(untilMs: number): Promise<void> {
    while (this.rest === 'idle' && performance.now() < untilMs) await this.#find();
  }

  get rest(): Rest {
    if (this.#present !== null) return 'chatting';
    if (this.#isPromised) return 'promised';
    return this.#isWaiting ? 'waiting' : 'idle';
  }

  /** Time of the last event, by `performance.now()`. */
  get lastAt(): number {
    return this.#lastAt;
  }

  get log(): EventLog {
    const { visitor, criteria, rest } = this;
    return { visitor: String(visitor), criteria, events: this.#seen, rest, delivery: 'frames' };
  }

  leave(): void {
    this.#isLeaving = true;
    this.#socket.disconnect();
  }

  async #chat(conversationId: string): Promise<void> {
    await this.#pause(50 + this.#random() * 700);
    if (this.#present !== conversationId) return;
    const roll = this.#random();
    if (roll < 0.5) {
      const next = { requestId: this.#requestId(), ...this.criteria };
      this.#follow(await this.#ask('conversation:leave', { conversationId, next }));
    } else if (roll < 0.6) {
      await this.#ask('conversation:leave', { conversationId });
    } else if (roll < 0.7) {
      await this.#ask('conversation:block', { conversationId });
    } else {
      this.#say(conversationId);
    }
  }

  async #wait(): Promise<void> {
    await this.#pause(200 + this.#random() * 1_500);
    if (!this.#isWaiting || this.#random() > 0.2) return;
    // Until it is known what came of it.
    let { answer, turns } = await this.#ask('match:cancel', {});
    for (let attempt = 0; attempt < 20 && (answer === 'unavailable' || answer === 'session_gone'); attempt++) {
      await this.#pause(300);
      ({ answer, turns } = await this.#ask('match:cancel', {}));
    }
    if (turns !== this.#turns) return;
    if (answer === 'cancelled') this.#isWaiting = false;
    if (answer === 'already_matched') this.#follow({ answer: 'matched', turns });
  }

  /** Repeats the request until there is an answer; the same wait each time. */
  async #find(): Promise<void> {
    const requestId = this.#requestId();
    for (let attempt = 0; attempt < 20; attempt++) {
      const outcome = await this.#ask('match:find', { requestId, ...this.criteria });
      if (outcome.answer !== 'unavailable') return this.#settleFind(outcome);
      await this.#pause(300);
      if (this.#present !== null) return;
    }
  }

  async #settleFind(outcome: { answer: Answer | null; turns: number }): Promise<void> {
    // In a conversation this visitor does not know of, or not let in again yet: it is told soon.
    if (outcome.answer === 'already_in_conversation' || outcome.answer === 'session_gone') await this.#pause(500);
    else this.#follow(outcome);
  }

  /** Applies an answer; pushes since the request take precedence. */
  #follow({ answer, turns }: { answer: Answer | null; turns: number }): void {
    if (turns !== this.#turns || this.#present !== null) return;
    if (answer === 'waiting') [this.#isWaiting, this.#isPromised] = [true, false];
    if (answer === 'matched') [this.#isWaiting, this.#isPromised] = [false, true];
  }

  async #ask(request: RequestName, payload: object): Promise<{ answer: Answer | null; turns: number }> {
    const ask = ++this.#asks;
    const conversationId = (payload as { conversationId?: string }).conversationId;
    // Leaving ends a conversation before it asks for the next: what comes after that end is of this question.
    let turns = this.#turns;
    const isMoving = 'next' in payload && this.#present === conversationId;
    this.#see({ kind: 'asked', ask, request, ...(conversationId !== undefined && { conversationId }) });
    const askedAt = performance.now();
    // No answer is a fact for the history, which judges it: `null`.
    const reply = await (
      this.#socket.timeout(UNANSWERED_MS).emitWithAck(request, payload) as Promise<
        Reply<{ status: Answer; next?: Answer | null }>
      >
    ).catch(() => null);
    if (reply === null) {
      const isCut = !this.#socket.connected || performance.now() - askedAt < UNANSWERED_MS;
      if (isCut) this.#see({ kind: 'answered', ask, answer: 'cut', afterMs: performance.now() - askedAt });
      return { answer: null, turns: -1 };
    }
    const answer = reply.ok ? reply.data.status : reply.error.code;
    this.#see({ kind: 'answered', ask, answer, afterMs: performance.now() - askedAt });
    if (isMoving && this.#present === null && this.#turns === turns + 1) turns += 1;
    return { answer: reply.ok && reply.data.next ? reply.data.next : answer, turns };
  }

  #say(conversationId: string): void {
    const text = `${this.visitor} in ${conversationId}`;
    const body = { kind: 'text', text };
    this.#see({ kind: 'said', conversationId, text });
    this.#socket.emit('conversation:frame', { conversationId, run: 'run', seq: 1, ack: 0, body });
  }

  #see(event: LoggedEvent): void {
    this.#seen.push(event);
    this.#lastAt = performance.now();
  }

  #turn(): void {
    this.#turns += 1;
    this.#changed?.();
  }

  /** Waits until the time is up, or something starts or ends. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #requestId(): string {
    return `visitor-${this.visitor}-${++this.#requests}`;
  }
}

const INTERESTS = ['jazz', 'film', 'tea', 'chess', 'trains', 'go'];

function criteriaFrom(random: () => number): Criteria {
  const group = random();
  const interests = INTERESTS.filter(() => random() < 0.2);
  if (group < 0.1) return { interests, is: 'a', seeks: ['b'] };
  if (group < 0.2) return { interests, is: 'b', seeks: ['a'] };
  return { interests };
}

/** Small seeded random source: numbers from 0 to below 1. */
export function chanceFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
