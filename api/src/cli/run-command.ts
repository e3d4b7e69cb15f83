import { systemClock } from '../clock.ts';
import { readConfig, recordsPlace } from '../config.ts';
import { isBug } from '../errors.ts';
import { errorFields, type LogFields } from '../observability/log.ts';
import { DatabaseFailure } from '../records/database-failure.ts';
import { placeName } from '../records/opening-error.ts';
import { openRecords } from '../records/records.ts';
import { UnreadableRow } from '../records/row-check.ts';
import { SiteService } from '../sites/site-service.ts';
import type { Answer } from './answers.ts';
import { HELP } from './help.ts';
import { commandOf } from './site-commands.ts';
import { readWords } from './words.ts';

export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadableStream;
  /** Writes text to stdout, and to stderr. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs one command against the records. Resolves with the exit code; what is wrong is one plain line on stderr, a bug several. */
export async function runCommand(args: readonly string[], { env, stdin, out, err }: Terminal): Promise<0 | 1> {
  let where = '';
  try {
    const given = readWords(args);
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
    const place = recordsPlace(readConfig(env));
    where = placeName(place);
    await using records = await openRecords(place, systemClock, {
      log,
      isMade: command.makesDatabase,
    });
    const answer: Answer = await command.run({
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
    err(`${messageOf(error, where).replaceAll(/\s*\n\s*/g, '; ')}\n`);
    return 1;
  }
}

function messageOf(error: unknown, where: string): string {
  if (error instanceof UnreadableRow) return `${where}: ${error.message}`;
  if (error instanceof DatabaseFailure)
    return `${where}: the database failed (${error.reason}); what was asked for may have been done or not`;
  return error instanceof Error ? error.message : String(error);
}
