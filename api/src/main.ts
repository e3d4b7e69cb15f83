#!/usr/bin/env node
import { startApp } from './app.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { createLog } from './observability/log.ts';
import { DEMO_SITE, directoryOf, readSitesFile } from './sites/site-directory.ts';
import type { Site } from './sites/site.ts';

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function settings(): { config: Config; sites: readonly Site[] } {
  try {
    const config = readConfig(process.env);
    const own = config.SITES_FILE === undefined ? [] : readSitesFile(config.SITES_FILE);
    const isDemoReplaced = own.some(({ keys }) => keys.includes(DEMO_SITE.keys[0]!));
    return { config, sites: isDemoReplaced ? own : [DEMO_SITE, ...own] };
  } catch (error) {
    if (error instanceof ConfigError) fail(`Passerby cannot start. Set right in the environment:\n${error.message}`);
    fail(`Passerby cannot start. ${(error as Error).message}`);
  }
}

function whyNotListening(error: NodeJS.ErrnoException, { HOST, PORT }: Config): string {
  if (error.code === 'EADDRINUSE') return `port ${PORT} is taken: stop what uses it, or set PORT to another one`;
  if (error.code === 'EACCES') return `this user may not listen on port ${PORT}: set PORT to one above 1023`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') return `HOST ${HOST} is no address of this machine`;
  return error.message;
}

const { config, sites } = settings();
const log = createLog(config.LOG_LEVEL);
const app = await startApp({ config, sites: directoryOf(sites), log }).catch((error: NodeJS.ErrnoException) =>
  fail(`Passerby cannot start: ${whyNotListening(error, config)}.`),
);

const url = app.url.replace('127.0.0.1', 'localhost');
const embed = `<script async src="${url}/widget.js" data-site="${sites.at(-1)!.keys[0]}"></script>`;
process.stdout.write(`Passerby is at ${url} · store: ${app.storeName} · embed: ${embed}\n`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    process.stdout.write(`${signal}: draining\n`);
    void app.drain().then(() => process.exit(0));
  });
}
