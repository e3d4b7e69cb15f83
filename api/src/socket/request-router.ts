import {
  FRAME_EVENT,
  REQUEST_NAMES,
  type Reply,
  type RequestName,
  type RequestPayload,
  type RequestReply,
} from '@passerby/sdk/protocol';
import { type FrameFault, parseFrame } from '../contract/frame.ts';
import { REQUEST_SCHEMAS } from '../contract/requests.ts';
import { within } from '../deadline.ts';
import { Refusal, toRefusal } from '../errors.ts';
import type { FrameLimiter } from '../rate-limiting/frame-limiter.ts';
import type { RateLimiter } from '../rate-limiting/rate-limiter.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { instanceOf, newRequestId } from '../observability/request-id.ts';
import type { Tally } from '../observability/tally.ts';
import type { FrameHandler } from '../requests/frames.ts';
import type { RequestContext, RequestHandlers } from '../requests/request-context.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { VisitorSocket } from './visitor-socket.ts';

/** Limits of what a visitor may send. */
export interface RouterLimits {
  readonly limiter: Pick<RateLimiter, 'consumeOfSession'>;
  readonly frames: Pick<FrameLimiter, 'admits'>;
  /** Maximum number of concurrent requests of one visitor. */
  readonly requestsMax: number;
}

/** Registration of a listener for what a visitor sends, which may be any value. */
type Listen = (name: string, listener: (...args: unknown[]) => void) => void;
type Acknowledge = (reply: Reply<unknown>) => void;

/**
 * Entry point for everything that visitors send; no other file listens to it. Every request is parsed, handled and
 * answered exactly once; every error becomes an answer with a code. A request without an acknowledgement callback
 * cannot be answered, so it is dropped and counted.
 */
export class RequestRouter {
  readonly #sites: Pick<SiteDirectory, 'byId'>;
  readonly #handlers: RequestHandlers;
  readonly #passFrame: FrameHandler;
  readonly #log: Log;
  readonly #tally: Tally;
  readonly #limits: RouterLimits;
  /** Number of requests in progress of each visitor, answered or not. */
  readonly #underWay = new WeakMap<VisitorSocket, number>();

  constructor(parts: {
    readonly sites: Pick<SiteDirectory, 'byId'>;
    readonly handlers: RequestHandlers;
    readonly passFrame: FrameHandler;
    readonly log: Log;
    readonly tally: Tally;
    readonly limits: RouterLimits;
  }) {
    this.#sites = parts.sites;
    this.#handlers = parts.handlers;
    this.#passFrame = parts.passFrame;
    this.#log = parts.log;
    this.#tally = parts.tally;
    this.#limits = parts.limits;
  }

  open(socket: VisitorSocket): void {
    const listen: Listen = socket.on.bind(socket) as unknown as Listen;
    for (const name of REQUEST_NAMES) {
      listen(name, (...args) => void this.#answer(socket, name, args));
    }
    listen(FRAME_EVENT, (...args) => this.#frame(socket, args));
    socket.onAny((name: string, ...args: unknown[]) => {
      if (KNOWN_EVENTS.has(name)) return;
      this.#tally.count('unknown_event');
      acknowledgeOf(args)?.({ ok: false, error: this.#refusalOfUnknown(socket).toWire() });
    });
  }

  async #answer<Name extends RequestName>(socket: VisitorSocket, name: Name, args: unknown[]): Promise<void> {
    const acknowledge = acknowledgeOf(args);
    if (acknowledge === null) {
      this.#tally.count('request_without_ack');
      return;
    }
    try {
      this.#takeRequest(socket);
      const payload = args.length === 2 ? REQUEST_SCHEMAS[name].safeParse(args[0]) : null;
      if (!payload?.success) throw new Refusal('bad_request');
      const { session, visitor } = socket.data;
      if (session === null) throw new Refusal('session_gone');
      const context = { session, visitor, site: this.#sites.byId(session.site) };
      acknowledge({ ok: true, data: await within(this.#handle(socket, name, context, payload.data), ANSWER_MS, late) });
    } catch (thrown) {
      const refusal = toRefusal(thrown);
      const requestId = newRequestId();
      this.#tally.refused('request', refusal.code);
      if (refusal.code === 'internal') {
        this.#log.error({ requestId, request: name, code: refusal.code, error: errorFields(thrown) }, 'request failed');
      }
      acknowledge({ ok: false, error: { ...refusal.toWire(), instance: instanceOf(requestId) } });
    }
  }

  /** @throws Refusal `rate_limited`. */
  #takeRequest(socket: VisitorSocket): void {
    this.#limits.limiter.consumeOfSession('requests', socket.data.session?.sessionId ?? socket.id);
    if ((this.#underWay.get(socket) ?? 0) < this.#limits.requestsMax) return;
    this.#tally.count('requests_under_way');
    throw new Refusal('rate_limited', { retryAfterMs: RETRY_AFTER_MS });
  }

  async #handle<Name extends RequestName>(
    socket: VisitorSocket,
    name: Name,
    context: RequestContext,
    payload: RequestPayload<Name>,
  ): Promise<RequestReply<Name>> {
    const count = (by: 1 | -1) => this.#underWay.set(socket, (this.#underWay.get(socket) ?? 0) + by);
    count(1);
    try {
      return await this.#handlers[name](context, payload);
    } finally {
      count(-1);
    }
  }

  #refusalOfUnknown(socket: VisitorSocket): Refusal {
    try {
      this.#takeRequest(socket);
      return new Refusal('bad_request');
    } catch (thrown) {
      return toRefusal(thrown);
    }
  }

  #frame(socket: VisitorSocket, args: unknown[]): void {
    const fault = this.#frameFault(socket, args);
    if (fault !== null) this.#tally.count(`frame_${fault}`);
  }

  #frameFault(socket: VisitorSocket, args: unknown[]): FrameFault | null {
    const { session, visitor } = socket.data;
    if (session === null) return 'not_paired';
    // What claims to be worth nothing is taken at its word; whatever else it is counts as a message.
    const isNumbered = (args[0] as { seq?: unknown } | null | undefined)?.seq !== 0;
    if (!this.#limits.frames.admits(session.sessionId, isNumbered)) return 'throttled';
    if (args.length !== 1) return 'malformed';
    try {
      const frame = parseFrame(args[0]);
      return typeof frame === 'string' ? frame : this.#passFrame(session, frame, visitor);
    } catch (thrown) {
      this.#log.error({ request: FRAME_EVENT, error: errorFields(thrown) }, 'frame failed');
      return 'malformed';
    }
  }
}

/**
 * Maximum time until an answer, since every request is answered within 1 s. The operation itself goes on, and its
 * result is pushed. Milliseconds.
 */
const ANSWER_MS = 900;
/** Time to wait after `unavailable`. Milliseconds. */
const RETRY_AFTER_MS = 1_000;

function late(): never {
  throw new Refusal('unavailable', { retryAfterMs: RETRY_AFTER_MS });
}

const KNOWN_EVENTS: ReadonlySet<string> = new Set([...REQUEST_NAMES, FRAME_EVENT]);

function acknowledgeOf(args: readonly unknown[]): Acknowledge | null {
  const last = args.at(-1);
  return typeof last === 'function' ? (last as Acknowledge) : null;
}
