#!/usr/bin/env node
import { startApp } from './app.ts';
import { runCommand } from './cli/run-command.ts';
import { monotonicClock, systemClock } from './clock.ts';
import { readConfig, recordsPlace, type Config } from './config.ts';
import { embedTag } from './embed-tag.ts';
import { isBug } from './errors.ts';
import { logConsole } from './observability/console-lines.ts';
import { createLog, errorFields, reasonOf } from './observability/log.ts';
import { reportOperations } from './http/admin/report-operations.ts';
import { siteOperations } from './http/admin/site-operations.ts';
import { openRecords } from './records/records.ts';
import { auditedBans } from './moderation/auto-bans.ts';
import { ModerationService } from './moderation/moderation-service.ts';
import { AccessDirectory } from './admission/access-directory.ts';
import { seedSites } from './sites/seed.ts';
import { DEMO_SITE } from './sites/site-directory.ts';
import { isThreadBusy, Shutdown } from './shutdown.ts';
import { SiteService } from './sites/site-service.ts';
import { readSitesFile, type SiteSeed } from './sites/sites-file.ts';
import { startErrorLine, whyNotListening, whyNotSeeded } from './start-error.ts';

// A reader that goes away, such as `head` or a log collector, ends nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const args = process.argv.slice(2);
if (args.length > 0) {
  const { env, stdin } = process;
  const out = (text: string) => void process.stdout.write(text);
  const err = (text: string) => void process.stderr.write(text);
  process.exit(await runCommand(args, { env, stdin, out, err }));
}

function fail(why: string): never {
  process.stderr.write(startErrorLine(why));
  process.exit(1);
}

/** Ends the start with one line, in the words of `why`; a bug is logged as one that nobody handles. */
function failUnlessBug<Thrown>(why: (thrown: Thrown) => string): (thrown: Thrown) => never {
  return (thrown) => {
    if (isBug(thrown)) throw thrown;
    fail(why(thrown));
  };
}

function settings(): { config: Config; seeds: readonly SiteSeed[] } {
  try {
    const config = readConfig(process.env);
    return { config, seeds: config.SITES_FILE === undefined ? [] : readSitesFile(config.SITES_FILE) };
  } catch (error) {
    fail((error as Error).message);
  }
}

const { config, seeds } = settings();
const log = createLog(config.LOG_LEVEL);
/** Lets visitors go, once there may be some. */
let empty = () => Promise.resolve();
/** Closes what is open: begun in turn, the last one first, and waited for together. */
const closers: (() => void | Promise<void>)[] = [];
const shutdown = new Shutdown({
  drain: async () => {
    await empty();
    await Promise.all(closers.toReversed().map(async (close) => close()));
  },
  log,
  say: (line) => void process.stdout.write(`${line}\n`),
  exit: (code) => process.exit(code),
  isHeldUp: isThreadBusy,
  kill: () => void process.kill(process.pid, 'SIGKILL'),
});
// Rejections that nobody handles come here too.
process.on('uncaughtException', (thrown) => shutdown.fault(thrown));
// Node writes warnings to stderr itself, past the log; some of them are caused by input.
process.removeAllListeners('warning');
process.on('warning', (warning) => log.warn({ error: errorFields(warning), reason: reasonOf(warning) }, 'Node warns'));

logConsole(log);

const records = await openRecords(recordsPlace(config), systemClock, { log }).catch(
  failUnlessBug((error: Error) => error.message),
);
closers.push(() => records.close());
const sites = await seedSites(records, seeds, systemClock)
  .then(() => AccessDirectory.open({ records, dates: systemClock, clock: monotonicClock, log, builtIn: [DEMO_SITE] }))
  .catch(failUnlessBug((error: unknown) => whyNotSeeded(error, config)));
sites.follow();
closers.push(() => sites.close());
const app = await startApp({
  config,
  sites,
  bans: sites.bans,
  onAccessChange: (changed) => sites.onChange(changed),
  records: { reports: records.reports, bans: auditedBans(records) },
  recordsStaleSince: () => sites.staleSince(),
  probeRecords: () => records.probe(),
  operations: [
    ...siteOperations(new SiteService({ records, clock: systemClock, actor: 'operator' })),
    ...reportOperations(new ModerationService(records, systemClock)),
  ],
  log,
}).catch(failUnlessBug((error: NodeJS.ErrnoException) => whyNotListening(error, config)));

empty = () => app.empty();
closers.push(() => app.stop());
// Before anybody is told where it is: who knows may send one at once.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => shutdown.signal(signal));

const url = app.url.replace('127.0.0.1', 'localhost');
const embed = embedTag(config.PUBLIC_URL ?? url, seeds.at(-1)?.key ?? DEMO_SITE.keys[0]!);
process.stdout.write(`Passerby is at ${url} · store: ${app.storeName} · embed: ${embed}\n`);
