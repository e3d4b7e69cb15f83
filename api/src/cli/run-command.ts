import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { readConfig, recordsPlace } from '../config.ts';
import { isBug } from '../errors.ts';
import { errorFields, type LogFields } from '../observability/log.ts';
import { DatabaseFailure } from '../records/database-failure.ts';
import { placeName, whatToDo } from '../records/opening-error.ts';
import type { RecordsPlace } from '../records/records-place.ts';
import { openRecords, SQLITE_FILE } from '../records/records.ts';
import { UnreadableRow } from '../records/row-check.ts';
import { SiteService } from '../sites/site-service.ts';
import type { CommandOutput } from './output.ts';
import { HELP } from './help.ts';
import { commandOf } from './site-commands.ts';
import { parseArgs } from './args.ts';

export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadableStream;
  /** Writes text to stdout; `err` to stderr. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs one command against the records. Resolves to the exit code; an error is one plain line on stderr, a bug several. */
export async function runCommand(args: readonly string[], { env, stdin, out, err }: Terminal): Promise<0 | 1> {
  let place: RecordsPlace | undefined;
  try {
    const given = parseArgs(args);
    if (given.options.help || given.words[0] === 'help') {
      out(HELP);
      return 0;
    }
    const command = commandOf(given);
    const said = new Set<string>();
    const warn = ({ field, record }: LogFields, message: string) => {
      const line = [message, ...(field === undefined ? [] : [[field, record].filter(Boolean).join(' of ')])].join(': ');
      if (!said.has(line)) err(`${line}\n`);
      said.add(line);
    };
    // That the database failed is what the command ends with.
    const error = (fields: LogFields, message: string) => void (fields.field !== undefined && warn(fields, message));
    const log = { warn, error };
    place = recordsPlace(readConfig(env));
    const isNew = place.kind === 'sqlite' && !existsSync(join(place.folder, SQLITE_FILE));
    await using records = await openRecords(place, systemClock, {
      log,
      isMade: command.makesDatabase,
    });
    if (isNew) err(`${placeName(place)}: created a new database.\n`);
    const answer: CommandOutput = await command.run({
      sites: new SiteService({ records, clock: systemClock, actor: 'cli' }),
      env,
      stdin,
    });
    out(given.options.json ? `${JSON.stringify(answer.json, null, 2)}\n` : answer.text);
    return 0;
  } catch (error) {
    if (isBug(error)) {
      const { name, stack = '' } = errorFields(error);
      err(`This is a bug of Passerby: ${name}\n${stack}\n`);
      return 1;
    }
    err(`${messageOf(error, place).replaceAll(/\s*\n\s*/g, '; ')}\n`);
    return 1;
  }
}

/** Reasons of failures after which a database has certainly done nothing; after others that is unknown. */
const NOTHING_DONE: ReadonlySet<string> = new Set([
  ...['SQLITE_BUSY', 'SQLITE_FULL', 'SQLITE_READONLY', 'NO_FREE_CONNECTION'],
  ...['25006', '42501', '53100', '53300', 'ECONNREFUSED'],
]);

function messageOf(error: unknown, place: RecordsPlace | undefined): string {
  if (place !== undefined && error instanceof UnreadableRow) return `${placeName(place)}: ${error.message}`;
  if (place !== undefined && error instanceof DatabaseFailure) {
    const { reason } = error;
    const isUndone = NOTHING_DONE.has(reason);
    const outcome = isUndone ? 'nothing was changed' : 'the command may have taken effect or not';
    return `${placeName(place)}: ${whatToDo(place, reason) ?? 'the database failed'} (${reason}); ${outcome}`;
  }
  // The service names the member of a list; at the command line each is an option.
  return error instanceof Error ? error.message.replace(/^origins\.\d+: /, '--origin: ') : String(error);
}
