import type { Log, LogFields } from './log.ts';

/** Text that a library prints, and the log entry in its place. The text itself is not logged, since it may quote input. */
const KNOWN: readonly (readonly [RegExp, LogFields, string])[] = [
  [
    /^Skipping the ready check because INFO command fails/,
    { reason: 'NOPERM' },
    'the Redis user may not run INFO: commands are sent while Redis may still read its data',
  ],
  [
    /server does not require a password|`default` user does not require a password/,
    {},
    'Redis asks for no password, though REDIS_URL has one',
  ],
];

const METHODS = ['debug', 'info', 'log', 'warn', 'error', 'trace'] as const;

/** Replaces the console methods, by which libraries bypass the log, so that what they print becomes log entries. */
export function logConsole(log: Log, printed: Partial<Record<(typeof METHODS)[number], unknown>> = console): void {
  const take = (first?: unknown): void => {
    const [, fields, message] = KNOWN.find(([words]) => typeof first === 'string' && words.test(first)) ?? [
      null,
      {},
      'a library prints a line of its own',
    ];
    log.warn(fields, message);
  };
  for (const method of METHODS) printed[method] = take;
}
