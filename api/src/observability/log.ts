import { pino } from 'pino';

/** What may be logged about anything: fixed fields, never what visitors say, their tokens or addresses. */
export interface LogFields {
  readonly site?: string;
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

/** One JSON line an event on stderr. stdout is for the one line that says where the service is. */
export function createLog(level: (typeof LOG_LEVELS)[number]): Log {
  return pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
}

/** What is logged of an exception. A message may quote input, so only the name and where it was thrown go along. */
export function errorFields(thrown: unknown): NonNullable<LogFields['error']> {
  if (!(thrown instanceof Error)) return { name: typeof thrown, stack: undefined };
  const frames = thrown.stack?.split('\n').filter((line) => line.trimStart().startsWith('at '));
  return { name: thrown.name, stack: frames?.join('\n') };
}
