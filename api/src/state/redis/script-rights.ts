import { PREFIX } from './keys.ts';
import { cachedScript, type ScriptRunner } from './cached-script.ts';
import { isDenied } from './store-fault.ts';

/** Key for the trial only, deleted at its end. */
export const RIGHTS_KEY = `${PREFIX}rights`;

/**
 * Returns the commands that scripts call, sorted by name. Throws a `TypeError` for a call whose command is not a
 * literal.
 */
export function calledCommands(texts: readonly string[]): readonly string[] {
  const text = texts.join('\n');
  const called = [...text.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, name]) => name!);
  if (called.length !== [...text.matchAll(/redis\.p?call\b/g)].length)
    throw new TypeError("a script calls a command that is not written out: redis.call('NAME', …) was expected");
  return [...new Set(called)].toSorted();
}

/** Arguments for each command with which it succeeds on a missing key. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  ...{ DEL: 'KEY', GET: 'KEY', INCRBY: 'KEY 1', PEXPIRE: 'KEY 1', PTTL: 'KEY', SET: 'KEY v', TIME: '', TYPE: 'KEY' },
  ...{ HDEL: 'KEY f', HEXISTS: 'KEY f', HGET: 'KEY f', HINCRBY: 'KEY f 1', HLEN: 'KEY', HMGET: 'KEY f' },
  ...{ HSCAN: 'KEY 0', HSET: 'KEY f v', HSETNX: 'KEY f v', LPUSH: 'KEY v', LRANGE: 'KEY 0 0', LTRIM: 'KEY 0 0' },
  ...{ ZADD: 'KEY 0 m', ZCARD: 'KEY', ZLEXCOUNT: 'KEY - +', ZMSCORE: 'KEY m', ZRANGEBYLEX: 'KEY - +' },
  ...{ ZRANGEBYSCORE: 'KEY 0 0', ZREM: 'KEY m', ZSCORE: 'KEY m' },
};

/**
 * KEYS     the key of the trial
 * ARGV     calls, each in words apart by spaces, with KEY for the key
 * RETURNS  the commands that failed, each followed by the error
 * COST     two calls a command
 *
 * Each permitted call succeeds, since Redis counts errors, and monitoring watches that count.
 */
const TRIAL = `
local failed = {}
for _, call in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(call, '%S+') do words[#words + 1] = word == 'KEY' and KEYS[1] or word end
  local reply = redis.pcall(unpack(words))
  if type(reply) == 'table' and reply.err then failed[#failed + 1], failed[#failed + 2] = words[1], reply.err end
  redis.pcall('DEL', KEYS[1])
end
redis.pcall('PEXPIRE', KEYS[1], 1)
return failed
`;

const trial = cachedScript(TRIAL);

/**
 * Resolves to a command that the user of `REDIS_URL` may not run; `null` if the user may run all that the scripts call.
 * Rejects if that cannot be determined.
 */
export async function missingRight(runner: ScriptRunner, commands: readonly string[]): Promise<string | null> {
  const answer = (await trial(runner, [RIGHTS_KEY], commands.map(callOf))) as readonly string[];
  for (let at = 0; at < answer.length; at += 2) {
    // Any other error is about the server, such as that it is full.
    if (isDenied(answer[at + 1]!)) return answer[at]!;
  }
  return null;
}

/** Returns the call of a command. Throws a `TypeError` for one without an entry in `ARGUMENTS`. */
function callOf(command: string): string {
  const words = ARGUMENTS[command];
  if (words === undefined) throw new TypeError(`a script calls ${command}, which no trial of rights knows how to call`);
  return `${command} ${words}`;
}
