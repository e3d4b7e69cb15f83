import { Cluster, type Redis } from 'ioredis';
import type { StoreFault } from '@passerby/sdk/protocol';
import { storeFaultOf } from './store-fault.ts';

/** Faults without a message here: those of the node bus have messages of their own. */
type NotOpening = 'UNKNOWN' | 'NO_PUBLISH' | 'NO_SUBSCRIBE' | 'NO_ECHO';

/** Messages about what `REDIS_URL` names, and what to do, by fault. */
const WORDS: Readonly<Record<Exclude<StoreFault, NotOpening>, string>> = {
  READONLY: 'its server is a replica and takes no writes; name the master',
  OOM: 'its server takes no writes, since it has reached its maxmemory; give it more',
  MISCONF: 'its server takes no writes, since it cannot save to disk; free the disk, or switch saving off',
  NOREPLICAS: 'its server takes no writes, since too few replicas follow it; see min-replicas-to-write',
  MASTERDOWN: 'its server is a replica that has lost its master; name the master',
  NO_MASTER:
    'none of its Sentinels names a master; start them, or correct their hosts, their ports or the name at its end',
  CLUSTERDOWN: 'its Cluster does not serve all slots; see CLUSTER INFO',
  TRYAGAIN: 'a slot of its Cluster is on its way to another node; try again',
  MOVED: 'its server is a node of a Cluster; write redis+cluster://, and see that all nodes can be reached',
  LOADING: 'its server still reads its data from disk; try again',
  BUSY: 'its server is kept busy by a script; see SCRIPT KILL',
  NOAUTH: 'its server wants a password; write redis://user:password@host',
  WRONGPASS: 'its user or password is refused, or the user is off',
  NOPERM: 'its user lacks a right; see docs/redis.md',
  DATABASE: 'the database whose number is at its end cannot be chosen',
  ECONNREFUSED: 'nothing listens at its host and port; start Redis, or correct them',
  ECONNRESET: 'its host closes the connection; is this Redis, and if it speaks TLS, is it written rediss://?',
  EHOSTUNREACH: 'its host cannot be reached',
  ENOTFOUND: 'its host name is not known',
  TLS: 'the certificate of its server is not trusted; see NODE_EXTRA_CA_CERTS, or correct its name',
  TIMEOUT: 'its host does not answer in time; is this Redis, and is its port right?',
  CLOSED: 'its host closes the connection; is this Redis, and if it speaks TLS, is it written rediss://?',
};

const NO_TLS =
  'its host does not speak TLS, or cannot be reached; write redis:// in the place of rediss:// for a port without';
/** Faults that end a TLS handshake with a server that does not understand it. */
const WITHOUT_TLS: ReadonlySet<StoreFault> = new Set(['TIMEOUT', 'ECONNRESET', 'CLOSED']);

/** OpenSSL's messages for a reply that is not TLS. */
const WRONG_VERSION = /wrong version number|packet length too long/;

/** Message for a Cluster that answers but is not ready. */
const NOT_WHOLE = /^Cluster isn't ready/;
const NO_NODE = 'none of the nodes of its Cluster answers; start them, or correct their hosts and ports';

/** Messages of servers and of the client library for which there is no fault. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/cluster support disabled/i, 'its server is no node of a Cluster; write redis:// in the place of redis+cluster://'],
  [/^Protocol error/, 'what listens there is no Redis; if it speaks TLS, write rediss://'],
  [/unknown command|^ERR unknown/i, 'its server lacks a command; is this Redis 7 or newer?'],
];

/** Returns one sentence that names `REDIS_URL`, the reason why its server cannot be used, and the remedy. */
export function whyNotOpened(client: Redis | Cluster, thrown: Error): string {
  const fault = storeFaultOf(thrown);
  const messages = messagesOf(thrown);
  const says = (words: RegExp) => messages.some((message) => words.test(message));
  const phrase = PHRASES.find(([words]) => says(words))?.[1];
  if (hasTls(client) && (WITHOUT_TLS.has(fault) || says(WRONG_VERSION))) return `REDIS_URL: ${NO_TLS}`;
  if (client instanceof Cluster && fault === 'CLOSED')
    return says(NOT_WHOLE) ? `REDIS_URL: ${WORDS.CLUSTERDOWN} (CLUSTERDOWN)` : `REDIS_URL: ${NO_NODE}`;
  if (isOpening(fault)) return `REDIS_URL: ${WORDS[fault]} (${fault})`;
  return `REDIS_URL: ${phrase ?? `its server does not do what is needed: ${thrown.message}`}`;
}

const isOpening = (fault: StoreFault): fault is keyof typeof WORDS => Object.hasOwn(WORDS, fault);

/** Returns the messages of an error and of its causes. */
function messagesOf(thrown: unknown): readonly string[] {
  if (!(thrown instanceof Error)) return [];
  const { cause, lastNodeError } = thrown as { readonly cause?: unknown; readonly lastNodeError?: unknown };
  return [thrown.message, ...messagesOf(cause ?? lastNodeError)];
}

function hasTls(client: Redis | Cluster): boolean {
  const { tls } = client instanceof Cluster ? (client.options.redisOptions ?? {}) : client.options;
  return tls !== undefined;
}
