import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Text of docs/redis.md, which tests compare with the code. */
export const REDIS_PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/redis.md'), 'utf8');

/** Rules of the Redis user that the page recommends, as arguments of `ACL SETUSER`. */
export function aclRules(): readonly string[] {
  const line = /^user (\S+) (.*)$/m.exec(REDIS_PAGE.replaceAll('\\\n', ''));
  if (line === null) throw new Error('docs/redis.md has no line "user …"');
  return [line[1]!, ...line[2]!.split(/\s+/)];
}

/** Commands that the recommended user may send, as written on the page. */
export function aclCommands(): readonly string[] {
  return aclRules()
    .filter((rule) => rule.startsWith('+'))
    .map((rule) => rule.slice(1));
}

/** Additional rules for a Cluster. */
export function clusterRules(): readonly string[] {
  const [, rules] = /On a Cluster add `([^`]+)`/.exec(REDIS_PAGE) ?? [];
  if (rules === undefined) throw new Error('docs/redis.md does not say what a Cluster needs');
  return rules.split(' ');
}
