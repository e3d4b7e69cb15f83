import { parseArgs as parseNodeArgs } from 'node:util';

/** Error in a command line; the message is one plain line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const OPTIONS = {
  origin: { type: 'string', multiple: true },
  id: { type: 'string' },
  url: { type: 'string' },
  kind: { type: 'string' },
  mode: { type: 'string' },
  overlap: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Parsed command line. */
export interface ParsedArgs {
  readonly words: readonly string[];
  readonly options: ReturnType<typeof parseNodeArgs<{ options: typeof OPTIONS }>>['values'];
}

/** Parses a command line. Throws `UsageError`. */
export function parseArgs(args: readonly string[]): ParsedArgs {
  try {
    const { positionals, values } = parseNodeArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    return { words: positionals, options: values };
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0], { cause: error });
  }
}

/** Returns the positional argument at an index. Throws `UsageError` if there is none. */
export function wordAt(words: readonly string[], index: number, what: string): string {
  const word = words[index];
  if (word === undefined) throw new UsageError(`Missing: ${what}; --help lists the commands`);
  return word;
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;

/**
 * Parses a duration such as `90s`, `15m`, `24h`, `7d` or `0` into milliseconds, up to `maxMs`. Throws a `UsageError`
 * that names the option.
 */
export function readDuration(text: string, option: string, maxMs: number): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? (text === '0' ? ['', '0', 's'] : []);
  const ms = Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (count !== undefined && ms <= maxMs) return ms;
  const most = `${maxMs / UNITS_MS.d}d`;
  throw new UsageError(
    count === undefined
      ? `${option} "${text}" is not a duration: write 0, or a number with s, m, h or d, such as 90s, 15m, 24h or 7d; ${most} at most`
      : `${option} ${text} is too long: ${most} at most`,
  );
}
