import type {
  Frame,
  PushName,
  PushPayload,
  RequestName,
  RequestPayload,
  RequestReply,
  ResumeToken,
  WireError,
} from '../protocol/index.ts';

/** One push as it arrives, its payload matched to its name. */
export type Push = { [Name in PushName]: { readonly name: Name; readonly payload: PushPayload<Name> } }[PushName];

/** Outcome of a request. `unknown`: no answer came, whether it took effect cannot be told. */
export type RequestOutcome<Name extends RequestName> =
  | { readonly kind: 'answered'; readonly data: RequestReply<Name> }
  | { readonly kind: 'refused'; readonly error: WireError }
  | { readonly kind: 'unknown' };

/** Reason for which a connection ended, or never came up. `refused`: the service gave one. */
export type DisconnectReason = { readonly kind: 'lost' } | { readonly kind: 'refused'; readonly error: WireError };

/** Events of a connection. None before `ConnectTransport` returns, none after `lost` or `close()`. */
export interface TransportEvents {
  push(push: Push): void;
  /** Exactly once, whether the connection ever came up or not. */
  lost(loss: DisconnectReason): void;
}

/** One connection to the service, from its attempt to its loss. It never reconnects: open another one. */
export interface TransportConnection {
  /** Never rejects. Answers `unknown` at once while the connection is not up: nothing is buffered. */
  request<Name extends RequestName>(name: Name, payload: RequestPayload<Name>): Promise<RequestOutcome<Name>>;
  /** Sends now or not at all. */
  send(frame: Frame): void;
  close(): void;
}

/** Opens a connection: the interface between the SDK and its transport. */
export type ConnectTransport = (resume: ResumeToken | undefined, events: TransportEvents) => TransportConnection;
