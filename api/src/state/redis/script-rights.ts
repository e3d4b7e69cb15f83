import { PREFIX } from './keys.ts';
import { cachedScript, type ScriptRunner } from './cached-script.ts';
import { isDenied } from './store-fault.ts';

/** A key for the trial alone: what it may hold is gone at its end. */
export const RIGHTS_KEY = `${PREFIX}rights`;

/** Commands that scripts call, in order of their names. Throws a `TypeError` for a call whose command is not a literal. */
export function calledCommands(texts: readonly string[]): readonly string[] {
  const text = texts.join('\n');
  const called = [...text.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, name]) => name!);
  if (called.length !== [...text.matchAll(/redis\.p?call\b/g)].length)
    throw new TypeError("a script calls a command that is not written out: redis.call('NAME', …) was expected");
  return [...new Set(called)].toSorted();
}

/**
 * KEYS     the key of the trial
 * ARGV     names of commands
 * RETURNS  the commands that were refused, each followed by the error
 * COST     up to five calls a command; nothing is read but the errors
 *
 * The key stands for all arguments, as many as the command needs at least: Redis asks for the right to call a command
 * after the number of arguments and before it looks at what they are.
 */
const TRIAL = `
local refused = {}
for _, name in ipairs(ARGV) do
  local given = {}
  for _ = 0, 4 do
    local reply = redis.pcall(name, unpack(given))
    local error = type(reply) == 'table' and reply.err or ''
    if not string.find(error, '[Ww]rong number of arg') then
      if error ~= '' then refused[#refused + 1], refused[#refused + 2] = name, error end
      break
    end
    given[#given + 1] = KEYS[1]
  end
end
redis.pcall('DEL', KEYS[1])
redis.pcall('PEXPIRE', KEYS[1], 1)
return refused
`;

const trial = cachedScript(TRIAL);

/**
 * A command the user of `REDIS_URL` may not run; `null` if the user may run all that the scripts call. Rejects if it cannot
 * be found out.
 */
export async function missingRight(runner: ScriptRunner, commands: readonly string[]): Promise<string | null> {
  const answer = (await trial(runner, [RIGHTS_KEY], commands)) as readonly string[];
  for (let at = 0; at < answer.length; at += 2) {
    // Any other error is about the arguments, which are senseless.
    if (isDenied(answer[at + 1]!)) return answer[at]!;
  }
  return null;
}
