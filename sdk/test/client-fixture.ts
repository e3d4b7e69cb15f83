import { vi } from 'vitest';
import type { Chat } from '../src/chat.ts';
import { Client } from '../src/client.ts';
import type { ChatEvents } from '../src/events.ts';
import type { ChatState } from '../src/state.ts';
import {
  type Agreed,
  type ConversationId,
  type ConversationInfo,
  type Frame,
  type Policy,
  type PushName,
  type PushPayload,
  type RequestName,
  type RequestPayload,
  type RequestReply,
  type ResumeToken,
  type Run,
  type SessionState,
  TIMES,
  type WireError,
} from '../src/protocol/index.ts';
import { noTabLock, type TabLock, type TabLockEvents } from '../src/tabs/tab-lock.ts';
import { noStorage, type TabStorage } from '../src/tabs/tab-storage.ts';
import type {
  ConnectTransport,
  TransportConnection,
  TransportEvents,
  DisconnectReason,
  Push,
  RequestOutcome,
} from '../src/connection/transport.ts';
import { policyWith } from './fixtures/policy.ts';

export const POLICY = policyWith({ interests: ['tea'] });
export const NOTHING_AGREED: Agreed = { rules: null, ageBand: null };
export const SHARED = { interests: ['tea'], isSameTopic: false };

export function info(id: string): ConversationInfo {
  return { conversationId: id as ConversationId, role: 'offerer', shared: SHARED };
}

interface PendingRequest {
  readonly name: RequestName;
  readonly payload: unknown;
  readonly settle: (outcome: RequestOutcome<never>) => void;
}

/** Service's end of one connection, driven by hand. */
export class StageLine implements TransportConnection {
  readonly resume: ResumeToken | undefined;
  readonly #events: TransportEvents;
  readonly frames: Frame[] = [];
  /** All requests received. `any`: a test reads the payload of the request it made itself. */
  readonly log: { readonly name: RequestName; readonly payload: any }[] = [];
  #pending: PendingRequest[] = [];
  isOpen = true;

  constructor(resume: ResumeToken | undefined, events: TransportEvents) {
    this.resume = resume;
    this.#events = events;
  }

  request<Name extends RequestName>(name: Name, payload: RequestPayload<Name>): Promise<RequestOutcome<Name>> {
    this.log.push({ name, payload });
    return new Promise((resolve) => {
      const timer = setTimeout(() => request.settle({ kind: 'unknown' }), TIMES.replyTimeoutMs);
      const request: PendingRequest = {
        name,
        payload,
        settle: (outcome) => {
          clearTimeout(timer);
          this.#pending = this.#pending.filter((other) => other !== request);
          resolve(outcome as RequestOutcome<Name>);
        },
      };
      this.#pending.push(request);
    });
  }

  send(frame: Frame): void {
    if (this.isOpen) this.frames.push(frame);
  }

  close(): void {
    this.isOpen = false;
    for (const request of [...this.#pending]) request.settle({ kind: 'unknown' });
  }

  /** Sends on a closed connection too: those are late events. */
  push<Name extends PushName>(name: Name, payload: PushPayload<Name>): void {
    this.#events.push({ name, payload } as Push);
  }

  ready(
    state: SessionState = { status: 'idle' },
    recovered = this.resume !== undefined,
    { policy = POLICY, agreed = NOTHING_AGREED }: { policy?: Policy; agreed?: Agreed } = {},
  ): void {
    const resume = `r_${String(Math.random()).slice(2).padStart(22, '0')}` as ResumeToken;
    this.push('session:ready', { resume, recovered, policy, agreed, now: 0, state });
  }

  lose(loss: DisconnectReason = { kind: 'lost' }): void {
    this.close();
    this.#events.lost(loss);
  }

  get pending(): RequestName[] {
    return this.#pending.map((request) => request.name);
  }

  /** Answers the oldest pending request, which must be this one, and lets the client process the answer. */
  async answer<Name extends RequestName>(name: Name, data: RequestReply<Name>): Promise<void> {
    await this.#settle(name, { kind: 'answered', data } as RequestOutcome<never>);
  }

  async refuse(name: RequestName, error: Partial<WireError> & Pick<WireError, 'code'>): Promise<void> {
    await this.#settle(name, { kind: 'refused', error: { message: error.code, ...error } });
  }

  async #settle(name: RequestName, outcome: RequestOutcome<never>): Promise<void> {
    const request = this.#pending[0];
    if (request?.name !== name) throw new Error(`pending: ${this.pending.join() || 'nothing'}; not ${name}`);
    request.settle(outcome);
    await vi.advanceTimersByTimeAsync(0);
  }

  /** Sends a frame from the peer. */
  frame(id: string, seq: number, body: Frame['body'], ack = 0, run = 'peer'): void {
    const peerRun = this.frames.at(-1)?.run;
    const frame = { conversationId: id as ConversationId, run: run as Run, seq, ack, body };
    this.push('conversation:frame', peerRun === undefined ? frame : { ...frame, peerRun });
  }
}

export interface Stage {
  readonly chat: Chat;
  readonly lines: StageLine[];
  /** Latest connection. */
  readonly line: StageLine;
  /** All events except `change`, in order. */
  readonly events: [keyof ChatEvents, unknown][];
  readonly names: () => (keyof ChatEvents)[];
  readonly state: () => ChatState;
  readonly status: () => string;
}

/** Options of a test. */
export interface StageParts {
  /** Random number, 0 by default: no jitter, no waiting. */
  readonly random?: () => number;
  readonly storage?: TabStorage;
  readonly lock?: (events: TabLockEvents) => TabLock;
}

/** Client over hand-driven connections. Call under fake timers. */
export function stage({ random = () => 0, storage = noStorage, lock = () => noTabLock }: StageParts = {}): Stage {
  const lines: StageLine[] = [];
  let ids = 0;
  const dial: ConnectTransport = (resume, events) => {
    const line = new StageLine(resume, events);
    lines.push(line);
    return line;
  };
  const newId = (chars: number): string => String((ids += 1)).padStart(chars, '0');
  const chat: Chat = new Client({ connectTransport: dial, storage, lock, random, newId });
  const events: Stage['events'] = [];
  const names = ['started', 'message', 'delivered', 'typing', 'presence', 'ended', 'online', 'error'] as const;
  for (const name of names) chat.on(name, (event) => events.push([name, event]));
  return {
    chat,
    lines,
    get line() {
      const line = lines.at(-1);
      if (line === undefined) throw new Error('no line was dialled');
      return line;
    },
    events,
    names: () => events.map(([name]) => name),
    state: () => chat.snapshot().state,
    status: () => chat.snapshot().state.status,
  };
}

/** Client in conversation `id`, connected. */
export async function staged(id = 'c1', parts?: StageParts): Promise<Stage> {
  const scene = stage(parts);
  const found = scene.chat.find({ interests: ['tea'] });
  scene.line.ready();
  await scene.line.answer('match:find', { status: 'waiting' });
  await found;
  scene.line.push('conversation:started', { ...info(id), policy: POLICY });
  return scene;
}

/** Runs pending promises and due timers. */
export async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Returns the error a promise rejects with; fails if it does not reject. */
export async function refusal(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}
