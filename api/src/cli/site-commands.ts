import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import type { KeyKind, KeyMode } from '../records/column-values.ts';
import { checked, keyKind, keyMode, OVERLAP_MAX_MS } from '../sites/input-schemas.ts';
import type { SiteService } from '../sites/site-service.ts';
import type { SiteId } from '../domain/ids.ts';
import {
  type CommandOutput,
  keyAnswer,
  keysAnswer,
  newKeyAnswer,
  newSiteAnswer,
  originsAnswer,
  policyAnswer,
  siteAnswer,
  sitesAnswer,
} from './output.ts';
import { readDuration, UsageError, wordAt, type ParsedArgs } from './args.ts';

export interface CommandParts {
  readonly sites: SiteService;
  readonly env: NodeJS.ProcessEnv;
  /** Input that is read if the file is `-`. */
  readonly stdin: NodeJS.ReadableStream;
}

type Command = (
  given: ParsedArgs & { readonly rest: readonly string[] },
  parts: CommandParts,
) => Promise<CommandOutput>;

interface CommandKind {
  /** Maximum number of positional arguments. */
  readonly takes: number;
  /** Set if the command creates a missing embedded database. */
  readonly makesDatabase?: boolean;
  readonly run: Command;
}

/** All commands, by name. */
const COMMANDS: Readonly<Record<string, CommandKind>> = {
  'site add': {
    takes: 1,
    makesDatabase: true,
    run: async ({ rest, options }, { sites, env }) => {
      const url = publicUrl(env, options.url);
      const { site, keys } = await sites.add({
        ...(options.id !== undefined && { id: options.id }),
        name: wordAt(rest, 0, 'the name of the site'),
        origins: options.origin ?? [],
      });
      return newSiteAnswer(site, keys, url);
    },
  },
  'site list': { takes: 0, run: async (_, { sites }) => sitesAnswer(await sites.list()) },
  'site show': { takes: 1, run: async ({ rest }, { sites }) => siteAnswer(await sites.get(idIn(rest))) },
  'site rename': {
    takes: 2,
    run: async ({ rest }, { sites }) => siteAnswer(await sites.rename(idIn(rest), wordAt(rest, 1, 'the new name'))),
  },
  'site disable': { takes: 1, run: async ({ rest }, { sites }) => siteAnswer(await sites.disable(idIn(rest))) },
  'site enable': { takes: 1, run: async ({ rest }, { sites }) => siteAnswer(await sites.enable(idIn(rest))) },
  'site origin add': {
    takes: 2,
    run: async ({ rest }, { sites }) =>
      originsAnswer(await sites.addOrigin(idIn(rest), wordAt(rest, 1, 'an origin, such as https://my.site'))),
  },
  'site origin remove': {
    takes: 2,
    run: async ({ rest }, { sites }) =>
      originsAnswer(await sites.removeOrigin(idIn(rest), wordAt(rest, 1, 'an origin, such as https://my.site'))),
  },
  'site origin list': { takes: 1, run: async ({ rest }, { sites }) => originsAnswer(await sites.get(idIn(rest))) },
  'site key add': {
    takes: 1,
    run: async ({ rest, options }, { sites }) => {
      const [id, kind, mode] = [idIn(rest), ...kindAndMode(options)];
      // Read first: a key that is made and cannot be shown is lost.
      const site = await sites.get(id);
      return newKeyAnswer(await sites.addKey(id, kind, mode), site);
    },
  },
  'site key rotate': {
    takes: 1,
    run: async ({ rest, options }, { sites }) => {
      const [id, kind, mode] = [idIn(rest), ...kindAndMode(options)];
      const overlapMs = readDuration(options.overlap ?? '24h', '--overlap', OVERLAP_MAX_MS);
      const site = await sites.get(id);
      return newKeyAnswer(await sites.rotateKey(id, kind, mode, overlapMs), site);
    },
  },
  'site key revoke': {
    takes: 1,
    run: async ({ rest }, { sites }) =>
      keyAnswer(await sites.revokeKey(wordAt(rest, 0, 'the id of a key; site key list shows it'))),
  },
  'site key list': { takes: 1, run: async ({ rest }, { sites }) => keysAnswer((await sites.get(idIn(rest))).keys) },
  'site policy get': { takes: 1, run: async ({ rest }, { sites }) => policyAnswer(await sites.get(idIn(rest))) },
  'site policy set': {
    takes: 2,
    run: async ({ rest }, { sites, stdin }) => {
      const file = wordAt(rest, 1, 'a JSON file, or - for stdin');
      const text = file === '-' ? await textOf(stdin) : await readFile(file, 'utf8');
      return policyAnswer(await sites.setPolicy(idIn(rest), jsonOf(text, file)));
    },
  },
};

/** Names of all commands. */
export const COMMAND_NAMES = Object.keys(COMMANDS);

/** Command with its arguments. */
export interface GivenCommand {
  readonly makesDatabase: boolean;
  run(parts: CommandParts): Promise<CommandOutput>;
}

/** Finds the command that a line begins with, and its arguments. Throws `UsageError`. */
export function commandOf({ words, options }: ParsedArgs): GivenCommand {
  for (const length of [3, 2]) {
    const command = COMMANDS[words.slice(0, length).join(' ')];
    const rest = words.slice(length);
    if (command === undefined || words.length < length) continue;
    if (rest.length > command.takes)
      throw new UsageError(`"${rest[command.takes]!}" is an unexpected argument: put names with spaces into quotes`);
    const { makesDatabase = false } = command;
    return { makesDatabase, run: (parts) => command.run({ words, options, rest }, parts) };
  }
  throw new UsageError(`Unknown command "${words.join(' ')}"; --help lists the commands`);
}

function idIn(rest: readonly string[]): SiteId {
  return wordAt(rest, 0, 'the id of a site; site list shows it') as SiteId;
}

function kindAndMode(options: ParsedArgs['options']): [KeyKind, KeyMode] {
  return [
    checked(keyKind, options.kind ?? 'publishable', '--kind'),
    checked(keyMode, options.mode ?? 'live', '--mode'),
  ];
}

/** Returns the public origin of the service for the script tag. Default: this machine. */
function publicUrl(env: NodeJS.ProcessEnv, said?: string): string {
  const text = said ?? env['PUBLIC_URL'] ?? `http://localhost:${env['PORT'] ?? 3000}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/')
    throw new UsageError('--url or PUBLIC_URL must be the public address of the service, such as https://chat.my.site');
  return url.origin;
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}
