import { ERRORS, type ErrorCode, type WireError } from '../protocol/index.ts';
import { parseJson } from '../internal/parse-json.ts';

/**
 * The service's reason in a failed Socket.IO connection, if it can be known: `data` from a refused
 * CONNECT, or the body of a refused HTTP request. A browser shows neither for a refused WebSocket;
 * long-polling, tried next, does.
 */
export function refusalIn(failure: unknown): WireError | null {
  const data = field(failure, 'data');
  return asWireError(data) ?? asWireError(parseJson(field(field(failure, 'context'), 'responseText')));
}

/** Reads `{code: 'x', message | title}` (ours) and Engine.IO's `{code: 4, message: 'x'}`. */
function asWireError(value: unknown): WireError | null {
  const code = field(value, 'code');
  const message = field(value, 'message');
  const known = [code, message].find(isErrorCode);
  if (known === undefined) {
    // A code of a newer service: ChatError.fromWire makes it `internal`.
    return typeof code === 'string' && typeof message === 'string' ? { code: 'internal', message } : null;
  }
  const words = [message, field(value, 'title')].find((text) => typeof text === 'string' && text !== known);
  const retryAfterMs = field(value, 'retryAfterMs');
  return {
    code: known,
    message: typeof words === 'string' ? words : ERRORS[known].message,
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
