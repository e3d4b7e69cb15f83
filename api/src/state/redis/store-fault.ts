import { STORE_FAULTS, type StoreFault } from '@passerby/sdk/protocol';
import { reasonOf } from '../../observability/log.ts';

/** Faults for codes of the operating system and of servers with another name. */
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
 * Messages of Redis for a missing right: with its code, and without it for a command inside a script. From 7.0 on "The
 * user executing the script can't run this command", from 7.2 on "ACL failure in script: User … has no permissions".
 */
const DENIED = /^(?:-?NOPERM |(?:-?ERR )?(?:The user executing the script |ACL failure in script))/;

/** Returns whether the message of an error says that the user lacks a right. */
export const isDenied = (message: string): boolean => DENIED.test(message);

/**
 * Returns whether an error is a permanent one, of a script itself. Errors about the state of Redis are transient, and
 * so is a missing right inside a script: it can be granted while the service runs.
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

/** Maximum number of causes that are followed: a refusal has one, a Cluster error another. */
const DEPTH_MAX = 4;

/** Returns the fault for an error of the Redis client, or one caused by it. */
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

/** Returns whether `SELECT` was refused, after which the connection would go on in database 0. */
export function isOfSelect(error: Error): boolean {
  return (error as { readonly command?: { readonly name?: unknown } }).command?.name === 'select';
}

const isStoreFault = (code: string): code is StoreFault => (STORE_FAULTS as readonly string[]).includes(code);
