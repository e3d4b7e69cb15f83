import { pino, type DestinationStream } from 'pino';
import { logStream } from './log-stream.ts';

/** Fields that may be logged: fixed names, never messages of visitors, their tokens or addresses. */
export interface LogFields {
  readonly site?: string;
  /** Id of one request, as in its answer. */
  readonly requestId?: string;
  readonly request?: string;
  readonly code?: string;
  readonly error?: { readonly name: string; readonly stack: string | undefined };
  /** Error code of a library or server, such as `READONLY`, `ECONNRESET` or `57P01`; its message is never logged. */
  readonly reason?: string | undefined;
  /** Command of Redis that may not be run, such as `HGET`. */
  readonly command?: string;
  readonly count?: number;
  /**
   * Name of an unreadable column or setting, such as `sites.name` of the database or `settings.match.scanMax` of a
   * site.
   */
  readonly field?: string;
  /** Id of the record it belongs to in the database. */
  readonly record?: string | undefined;
}

/** Repeated warnings and errors are limited: see `REPEAT_MS`. The message is a fixed sentence, never input. */
export interface Log {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info'] as const;

/**
 * Minimum time between two warnings or errors of one kind, so that input cannot fill the log. Two lines are of one kind
 * if level, message, code, reason, error name, command and field are the same. Those left out are counted in a
 * `suppressed` line at the end of the interval, which may report a condition that is over by then. Milliseconds.
 */
export const REPEAT_MS = 60_000;
/** Maximum number of kinds tracked at once; more than there are messages in the source. */
const KINDS_MAX = 500;

/**
 * Creates a log with one JSON line per event, on stderr by default. stdout is reserved for the one line with the
 * address of the service. A field that is not on the list, or does not match its pattern, is left out.
 */
export function createLog(
  level: (typeof LOG_LEVELS)[number],
  destination: DestinationStream = logStream(process.stderr),
): Log {
  const logger = pino({ level, base: null }, destination);
  const limited = (level: 'warn' | 'error') => {
    const kinds = new Map<string, { suppressed: number }>();
    return (fields: LogFields, message: string): void => {
      const line = allowed(fields);
      const kind = kindOf(line, message);
      const known = kinds.get(kind);
      if (known !== undefined) {
        known.suppressed++;
        return;
      }
      if (kinds.size >= KINDS_MAX) return;
      logger[level](line, message);
      const current = { suppressed: 0 };
      kinds.set(kind, current);
      const { error: _, ...summary } = line;
      const timer = setInterval(() => {
        if (current.suppressed > 0) {
          logger[level]({ ...summary, suppressed: current.suppressed }, `${message} (repeated)`);
          current.suppressed = 0;
          return;
        }
        clearInterval(timer);
        kinds.delete(kind);
      }, REPEAT_MS).unref();
    };
  };
  return {
    info: (fields, message) => logger.info(allowed(fields), message),
    warn: limited('warn'),
    error: limited('error'),
  };
}

function kindOf({ code, reason, error, command, field }: Record<string, unknown>, message: string): string {
  return JSON.stringify([
    message,
    code,
    reason,
    (error as { readonly name?: string } | undefined)?.name,
    command,
    field,
  ]);
}

/** Returns the error code of a library or server in something thrown; `undefined` if there is none. */
export function reasonOf(thrown: unknown): string | undefined {
  const { code, message } = (thrown ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string' && SHAPES.reason.test(code)) return code;
  // A reply of Redis begins with its code.
  return typeof message === 'string' ? /^([A-Z]{3,20})(?: |$)/.exec(message)?.[1] : undefined;
}

/**
 * Returns the fields that are logged of an exception. A message may quote input, so only the name and the stack frames
 * are included.
 */
export function errorFields(thrown: unknown): NonNullable<LogFields['error']> {
  if (!(thrown instanceof Error)) return { name: typeof thrown, stack: undefined };
  return { name: thrown.name, stack: framesOf(thrown.stack) };
}

/** Patterns of each field: too narrow for a sentence, an address or a token. */
const SHAPES = {
  site: /^site_[A-Za-z0-9_-]{1,64}$/,
  requestId: /^req_[A-Za-z0-9_-]{16}$/,
  request: /^[a-z]{1,20}:[a-z]{1,20}$/,
  code: /^[a-z_]{1,40}$/,
  reason: /^(?:[A-Z][A-Z0-9_]{1,39}|[0-9A-Z]{5})$/,
  command: /^[A-Z]{1,20}$/,
  field: /^[a-z]{1,20}(?:\.[A-Za-z0-9_]{1,40}){0,6}$/,
  record: /^(?:site|key|report|ban|audit)_[A-Za-z0-9_-]{1,64}$/,
} as const;
const ERROR_NAME = /^[A-Za-z$_][\w$]{0,60}$/;

/** Enforces the list of fields at run time, whatever the types say. */
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

/** Line of a stack trace; the text before the first one is the message. */
const FRAME = /^\s+at [\w$.<>[\] /#]*\(?(?:file:\/\/|node:|\/|<anonymous>|native)[^\s()]*\)?$/;

function framesOf(stack: unknown): string | undefined {
  if (typeof stack !== 'string') return undefined;
  return stack
    .split('\n')
    .filter((line) => FRAME.test(line))
    .join('\n');
}
