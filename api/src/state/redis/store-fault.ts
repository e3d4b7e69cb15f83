import { STORE_FAULTS, type StoreFault } from '@passerby/sdk/protocol';
import { reasonOf } from '../../observability/log.ts';

/** Codes of the operating system and of servers that stand for a fault of another name. */
const ALIASES: Readonly<Record<string, StoreFault>> = {
  ETIMEDOUT: 'TIMEOUT',
  EPIPE: 'ECONNRESET',
  ENETUNREACH: 'EHOSTUNREACH',
  EAI_AGAIN: 'ENOTFOUND',
  ASK: 'MOVED',
  CROSSSLOT: 'MOVED',
  EPROTO: 'TLS',
};

/**
 * A right that is missing, as Redis words it: with its code, and for a command inside a script without it. From 7.0 on
 * "The user executing the script can't run this command", from 7.2 on "ACL failure in script: User … has no permissions".
 */
const DENIED = /^(?:-?NOPERM |(?:-?ERR )?(?:The user executing the script |ACL failure in script))/;

/** `true` for the text of an error that says the user lacks a right. */
export const isDenied = (message: string): boolean => DENIED.test(message);

/**
 * Returns whether an error is one of a script itself. What Redis says of its own state passes, and so does a right that the
 * user lacks inside a script: it is given while the service runs.
 */
export function isScriptFault(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || isDenied(thrown.message)) return false;
  return /^ERR .*(user_script|[Ss]cript)/.test(thrown.message);
}

/** Messages of servers and of the client library that have no code. */
const WORDS: readonly (readonly [RegExp, StoreFault])[] = [
  [DENIED, 'NOPERM'],
  [/^(?:Command timed out|Socket timeout|timeout$)/, 'TIMEOUT'],
  [/^All sentinels are unreachable/, 'NO_MASTER'],
  [
    /^(?:Connection is closed|Reached the max retries per request|Stream isn't writeable|Cluster isn't ready|Socket closed|Client network socket)/,
    'CLOSED',
  ],
];

/** Causes followed at most: a refusal has one, an error of a Cluster another. */
const DEPTH_MAX = 4;

/** Fault that an error of the Redis client, or one that it caused, stands for. */
export function storeFaultOf(thrown: unknown): StoreFault {
  let error = thrown;
  for (let depth = 0; depth < DEPTH_MAX && error instanceof Error; depth++) {
    const fault = faultIn(error);
    if (fault !== null) return fault;
    error = error.cause ?? (error as { readonly lastNodeError?: unknown }).lastNodeError;
  }
  return 'UNKNOWN';
}

function faultIn(error: Error): StoreFault | null {
  if (isOfSelect(error)) return 'DATABASE';
  // A Cluster gives up after so many redirections and quotes the last of them.
  const [, quoted] = /^Too many Cluster redirections\. Last error: \w+: (.+)/s.exec(error.message) ?? [];
  const message = quoted ?? error.message;
  const code = reasonOf(quoted === undefined ? error : new Error(quoted));
  if (code !== undefined) {
    if (isStoreFault(code)) return code;
    const alias = ALIASES[code];
    if (alias !== undefined) return alias;
    if (/^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code)) return 'TLS';
  }
  return WORDS.find(([words]) => words.test(message))?.[1] ?? null;
}

/** `true` for the refusal of `SELECT`: the connection would go on in database 0. */
export function isOfSelect(error: Error): boolean {
  return (error as { readonly command?: { readonly name?: unknown } }).command?.name === 'select';
}

const isStoreFault = (code: string): code is StoreFault => (STORE_FAULTS as readonly string[]).includes(code);
