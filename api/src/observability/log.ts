import { pino, type DestinationStream } from 'pino';

/** What may be logged about anything: fixed fields, never what visitors say, their tokens or addresses. */
export interface LogFields {
  readonly site?: string;
  /** Names one request, as its answer does. */
  readonly requestId?: string;
  readonly request?: string;
  readonly code?: string;
  readonly error?: { readonly name: string; readonly stack: string | undefined };
  readonly count?: number;
}

export interface Log {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info'] as const;

/**
 * One JSON line an event, on stderr unless told otherwise. stdout is for the one line that says where the
 * service is. A field that is not on the list, or does not look like what it should be, is left out.
 */
export function createLog(
  level: (typeof LOG_LEVELS)[number],
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Log {
  const logger = pino({ level, base: null }, destination);
  return {
    info: (fields, message) => logger.info(allowed(fields), message),
    warn: (fields, message) => logger.warn(allowed(fields), message),
    error: (fields, message) => logger.error(allowed(fields), message),
  };
}

/** What is logged of an exception. A message may quote input, so only the name and where it was thrown go along. */
export function errorFields(thrown: unknown): NonNullable<LogFields['error']> {
  if (!(thrown instanceof Error)) return { name: typeof thrown, stack: undefined };
  return { name: thrown.name, stack: framesOf(thrown.stack) };
}

/** What each field looks like: too narrow for a sentence, an address or a token. */
const SHAPES = {
  site: /^site_[A-Za-z0-9_-]{1,64}$/,
  requestId: /^req_[A-Za-z0-9_-]{16}$/,
  request: /^[a-z]{1,20}:[a-z]{1,20}$/,
  code: /^[a-z_]{1,40}$/,
} as const;
const ERROR_NAME = /^[A-Za-z$_][\w$]{0,60}$/;

/** The list, enforced whatever the types were told. */
function allowed(fields: LogFields): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(SHAPES)) {
    const value = fields[name as keyof typeof SHAPES] as unknown;
    if (typeof value === 'string' && shape.test(value)) out[name] = value;
  }
  const { count, error } = fields as { readonly count?: unknown; readonly error?: unknown };
  if (typeof count === 'number') out['count'] = count;
  if (typeof error === 'object' && error !== null) {
    const { name, stack } = error as { readonly name?: unknown; readonly stack?: unknown };
    out['error'] = {
      name: typeof name === 'string' && ERROR_NAME.test(name) ? name : 'Error',
      stack: framesOf(stack),
    };
  }
  return out;
}

/** A line of a stack trace; what stands before the first one is the message. */
const FRAME = /^\s+at [\w$.<>[\] /#]*\(?(?:file:\/\/|node:|\/|<anonymous>|native)[^\s()]*\)?$/;

function framesOf(stack: unknown): string | undefined {
  if (typeof stack !== 'string') return undefined;
  return stack
    .split('\n')
    .filter((line) => FRAME.test(line))
    .join('\n');
}
