import { readFileSync } from 'node:fs';
import path from 'node:path';

/** docs/redis.md, which tests hold to the code. */
export const REDIS_PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/redis.md'), 'utf8');

/** The rules of the Redis user the page recommends, as `ACL SETUSER` takes them. */
export function aclRules(): readonly string[] {
  const line = /^user (\S+) (.*)$/m.exec(REDIS_PAGE.replaceAll('\\\n', ''));
  if (line === null) throw new Error('docs/redis.md has no line "user …"');
  return [line[1]!, ...line[2]!.split(/\s+/)];
}

/** The commands the recommended user may send, as the page writes them. */
export function aclCommands(): readonly string[] {
  return aclRules()
    .filter((rule) => rule.startsWith('+'))
    .map((rule) => rule.slice(1));
}

/** What the page adds to them on a Cluster. */
export function clusterRules(): readonly string[] {
  const [, rules] = /On a Cluster add `([^`]+)`/.exec(REDIS_PAGE) ?? [];
  if (rules === undefined) throw new Error('docs/redis.md does not say what a Cluster needs');
  return rules.split(' ');
}
