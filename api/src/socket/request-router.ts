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
import { Refusal, RETRY_AFTER_MS, toRefusal } from '../errors.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { instanceOf, newRequestId } from '../observability/request-id.ts';
import type { Counter } from '../observability/counter-family.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { FrameHandler } from '../requests/frames.ts';
import type { RequestContext, RequestHandlers } from '../requests/request-context.ts';
import type { LocalSession } from '../sessions/local-sessions.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { VisitorSocket } from './visitor-socket.ts';

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
  readonly #metrics: Metrics;
  readonly #framesDropped: Readonly<Record<FrameFault, Counter>>;
  readonly #requestsMax: number;

  constructor(parts: {
    readonly sites: Pick<SiteDirectory, 'byId'>;
    readonly handlers: RequestHandlers;
    readonly passFrame: FrameHandler;
    readonly log: Log;
    readonly metrics: Metrics;
    /** Maximum number of concurrent requests of one visitor. */
    readonly requestsMax: number;
  }) {
    this.#sites = parts.sites;
    this.#handlers = parts.handlers;
    this.#passFrame = parts.passFrame;
    this.#log = parts.log;
    this.#metrics = parts.metrics;
    this.#framesDropped = parts.metrics.countersBy('passerby_frames_dropped_total', 'fault');
    this.#requestsMax = parts.requestsMax;
  }

  open(socket: VisitorSocket): void {
    const listen: Listen = socket.on.bind(socket) as unknown as Listen;
    for (const name of REQUEST_NAMES) {
      listen(name, (...args) => void this.#answer(socket, name, args));
    }
    listen(FRAME_EVENT, (...args) => this.#frame(socket, args));
    socket.onAny((name: string, ...args: unknown[]) => {
      if (KNOWN_EVENTS.has(name)) return;
      this.#metrics.count('passerby_incidents_total', { kind: 'unknown_event' });
      acknowledgeOf(args)?.({ ok: false, error: this.#refusalOfUnknown(socket).toWire() });
    });
  }

  async #answer<Name extends RequestName>(socket: VisitorSocket, name: Name, args: unknown[]): Promise<void> {
    const acknowledge = acknowledgeOf(args);
    if (acknowledge === null) {
      this.#metrics.count('passerby_incidents_total', { kind: 'request_without_ack' });
      return;
    }
    try {
      this.#admitRequest(socket);
      const payload = args.length === 2 ? REQUEST_SCHEMAS[name].safeParse(args[0]) : null;
      if (!payload?.success) throw new Refusal('bad_request');
      const { session } = socket.data;
      if (session === null) throw new Refusal('session_gone');
      const context = { session, site: this.#sites.byId(session.ref.site) };
      acknowledge({ ok: true, data: await within(this.#handle(socket, name, context, payload.data), ANSWER_MS, late) });
    } catch (thrown) {
      const refusal = toRefusal(thrown);
      const requestId = newRequestId();
      this.#metrics.count('passerby_refusals_total', { door: 'request', code: refusal.code });
      if (refusal.code === 'internal') {
        this.#log.error({ requestId, request: name, code: refusal.code, error: errorFields(thrown) }, 'request failed');
      }
      acknowledge({ ok: false, error: { ...refusal.toWire(), instance: instanceOf(requestId) } });
    }
  }

  /** @throws Refusal `rate_limited`. */
  #admitRequest({ data }: VisitorSocket): void {
    (data.session?.retained ?? data).limiter.consume('requests');
    if (data.requestsInProgress < this.#requestsMax) return;
    this.#metrics.count('passerby_incidents_total', { kind: 'requests_under_way' });
    throw new Refusal('rate_limited', { retryAfterMs: RETRY_AFTER_MS });
  }

  async #handle<Name extends RequestName>(
    socket: VisitorSocket,
    name: Name,
    context: RequestContext,
    payload: RequestPayload<Name>,
  ): Promise<RequestReply<Name>> {
    socket.data.requestsInProgress += 1;
    try {
      return await this.#handlers[name](context, payload);
    } finally {
      socket.data.requestsInProgress -= 1;
    }
  }

  #refusalOfUnknown(socket: VisitorSocket): Refusal {
    try {
      this.#admitRequest(socket);
      return new Refusal('bad_request');
    } catch (thrown) {
      return toRefusal(thrown);
    }
  }

  #frame(socket: VisitorSocket, args: unknown[]): void {
    const fault = this.#frameFault(socket, args);
    if (fault !== null) this.#framesDropped[fault].increment();
  }

  #frameFault(socket: VisitorSocket, args: unknown[]): FrameFault | null {
    const { session } = socket.data;
    if (session === null) return 'not_paired';
    // A frame with seq 0 may be lost; anything else counts as a message.
    const isNumbered = (args[0] as { seq?: unknown } | null | undefined)?.seq !== 0;
    const admission = session.retained.frames.admit(isNumbered);
    if (admission.kind === 'throttled') tellThrottled(session, admission.retryAfterMs);
    if (admission.kind !== 'admitted') return 'throttled';
    if (args.length !== 1) return 'malformed';
    try {
      const frame = parseFrame(args[0]);
      return typeof frame === 'string' ? frame : this.#passFrame(session, frame);
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

function late(): never {
  throw new Refusal('unavailable', { retryAfterMs: RETRY_AFTER_MS });
}

/** Tells a visitor to resend after that time; nobody who is in no conversation. */
function tellThrottled({ seat, connection }: LocalSession, retryAfterMs: number): void {
  if (seat === null) return;
  connection.push('conversation:throttled', { conversationId: seat.conversationId, retryAfterMs });
}

const KNOWN_EVENTS: ReadonlySet<string> = new Set([...REQUEST_NAMES, FRAME_EVENT]);

function acknowledgeOf(args: readonly unknown[]): Acknowledge | null {
  const last = args.at(-1);
  return typeof last === 'function' ? (last as Acknowledge) : null;
}
