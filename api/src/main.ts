#!/usr/bin/env node
import { startApp } from './app.ts';
import { runCommand } from './cli/run-command.ts';
import { monotonicClock, systemClock } from './clock.ts';
import { readConfig, recordsPlace, type Config } from './config.ts';
import { createLog, errorFields } from './observability/log.ts';
import { reportOperations } from './http/admin/report-operations.ts';
import { siteOperations } from './http/admin/site-operations.ts';
import { openRecords } from './records/records.ts';
import { auditedBans } from './safety/cool-downs.ts';
import { OperatorDesk } from './safety/operator-desk.ts';
import { FollowedDirectory } from './sites/followed-directory.ts';
import { seedSites } from './sites/seed-sites.ts';
import { DEMO_SITE } from './sites/site-directory.ts';
import { SiteService } from './sites/site-service.ts';
import { readSitesFile, type SiteSeed } from './sites/sites-file.ts';
import { startErrorLine, whyNotListening, whyNotSeeded } from './start-error.ts';

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
const records = await openRecords(recordsPlace(config), systemClock, { log }).catch((error: Error) =>
  fail(error.message),
);
const sites = await seedSites(records, seeds, systemClock)
  .then(() => FollowedDirectory.open({ records, dates: systemClock, clock: monotonicClock, log, builtIn: [DEMO_SITE] }))
  .catch((error: unknown) => fail(whyNotSeeded(error, config)));
sites.follow();
const app = await startApp({
  config,
  sites,
  bans: sites.bans,
  onAccessChange: (changed) => sites.onChange(changed),
  records: { reports: records.reports, bans: auditedBans(records) },
  recordsStaleSince: () => sites.staleSince(),
  operations: [
    ...siteOperations(new SiteService({ records, clock: systemClock, actor: 'operator' })),
    ...reportOperations(new OperatorDesk(records, systemClock)),
  ],
  log,
}).catch((error: NodeJS.ErrnoException) => fail(whyNotListening(error, config)));

const url = app.url.replace('127.0.0.1', 'localhost');
const embed = `<script async src="${url}/widget.js" data-site="${seeds.at(-1)?.key ?? DEMO_SITE.keys[0]}"></script>`;
process.stdout.write(`Passerby is at ${url} · store: ${app.storeName} · embed: ${embed}\n`);

async function leave(): Promise<void> {
  await app.drain();
  sites.close();
  await records.close();
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    process.stdout.write(`${signal}: draining\n`);
    leave().then(
      () => process.exit(0),
      (thrown: unknown) => {
        log.error({ error: errorFields(thrown) }, 'drain failed');
        process.exit(1);
      },
    );
  });
}
