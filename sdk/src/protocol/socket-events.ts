import type { WireError } from './errors.ts';
import type { Frame } from './frame.ts';
import type { PushName, PushPayload } from './pushes.ts';
import type { RequestName, RequestPayload, RequestReply } from './requests.ts';

/** Answer to a request, exactly one for each. */
export type Reply<Data> =
  { readonly ok: true; readonly data: Data } | { readonly ok: false; readonly error: WireError };

/** Socket.IO's map of what a visitor sends, derived from the registry of requests. */
export type ClientToServerEvents = {
  [Name in RequestName]: (
    payload: RequestPayload<Name>,
    acknowledge: (reply: Reply<RequestReply<Name>>) => void,
  ) => void;
} & { 'conversation:frame': (frame: Frame) => void };

/** Socket.IO's map of what the service sends, derived from the registry of pushes. */
export type ServerToClientEvents = {
  [Name in PushName]: Name extends 'conversation:started'
    ? (payload: PushPayload<Name>, confirm: () => void) => void
    : Name extends 'session:ready'
      ? (payload: PushPayload<Name>, confirm?: () => void) => void
      : (payload: PushPayload<Name>) => void;
};
