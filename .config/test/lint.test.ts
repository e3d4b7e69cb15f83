import path from 'node:path';
import { ESLint } from 'eslint';
import ts from 'typescript-eslint';
import { expect, it } from 'vitest';
import { DIRECTIONS } from '../lint/import-boundaries.js';

const root = path.resolve(import.meta.dirname, '../..');
const eslint = new ESLint({
  cwd: root,
  overrideConfigFile: path.join(root, '.config/eslint.config.js'),
  // The files of these tests do not exist, so there are no types to look up.
  overrideConfig: ts.configs.disableTypeChecked,
});

async function complaints(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: path.join(root, filePath) });
  return result!.messages.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

/** Cases: a file, an import that is forbidden there, and one that is allowed. */
const FORBIDDEN: readonly [file: string, wrong: string, right: string][] = [
  ['sdk/src/protocol/x.ts', '../errors.ts', './ids.ts'],
  ['sdk/src/commands/x.ts', 'socket.io-client', '../errors.ts'],
  ['sdk/src/delivery/x.ts', 'node:crypto', '../protocol/index.ts'],
  ['sdk/src/state.ts', './connection/transport.ts', './protocol/index.ts'],
  ['sdk/src/connection/x.ts', '../tabs/session-persistence.ts', '../errors.ts'],
  ['sdk/src/delivery/x.ts', '../connection/transport.ts', '../internal/timer.ts'],
  ['sdk/src/conversation/x.ts', '../connection/transport.ts', '../delivery/reliable-channel.ts'],
  ['sdk/src/tabs/x.ts', '../commands/command-queue.ts', '../conversation/conversation.ts'],
  ['sdk/src/commands/x.ts', '../client.ts', '../tabs/persisted-state.ts'],
  ['api/src/socket/x.ts', '@passerby/sdk', '@passerby/sdk/protocol'],
  ['api/src/errors.ts', './domain/ids.ts', '@passerby/sdk/protocol'],
  ['api/src/domain/x.ts', '../state/state-store.ts', './ids.ts'],
  ['api/src/domain/x.ts', 'node:fs', '@passerby/sdk/protocol'],
  ['api/src/limits/x.ts', '../rate-limiting/rate-limiter.ts', './rate-limits.ts'],
  ['api/src/contract/x.ts', '../cluster/node-message.ts', '../limits/connection-limits.ts'],
  ['api/src/matching/x.ts', '../state/state-store.ts', './ticket.ts'],
  ['api/src/observability/x.ts', '../state/state-store.ts', '../domain/repaired-kinds.ts'],
  ['api/src/state/x.ts', '../sessions/matchmaker.ts', '../matching/ticket.ts'],
  ['api/src/records/x.ts', '../sites/site.ts', '../domain/ids.ts'],
  ['api/src/cluster/x.ts', '../sessions/relay.ts', '../state/redis/redis-client.ts'],
  ['api/src/privacy/x.ts', '../sites/site.ts', '../domain/ids.ts'],
  ['api/src/rate-limiting/x.ts', '../sites/site.ts', '../privacy/client-address.ts'],
  ['api/src/sites/x.ts', '../moderation/bans.ts', '../records/records.ts'],
  ['api/src/sites/x.ts', 'kysely', '../records/records.ts'],
  ['api/src/moderation/x.ts', '../sessions/sessions.ts', '../records/bans.ts'],
  ['api/src/admission/x.ts', '../sessions/sessions.ts', '../moderation/bans.ts'],
  ['api/src/sessions/x.ts', '../socket/socket-connection.ts', '../broadcast.ts'],
  ['api/src/sessions/x.ts', 'koa', '../state/state-store.ts'],
  ['api/src/requests/x.ts', '../socket/request-router.ts', '../sessions/sessions.ts'],
  ['api/src/background/x.ts', '../http/health.ts', '../sessions/sessions.ts'],
  ['api/src/config.ts', './http/health.ts', './records/database-url.ts'],
  ['api/src/http/x.ts', '../app.ts', '../sessions/matchmaker.ts'],
  ['api/src/backend.ts', './app.ts', './state/state-store.ts'],
  ['api/src/app.ts', './main.ts', './http/http-app.ts'],
  ['widget/src/x.ts', '@passerby/sdk/protocol', '@passerby/sdk'],
  ['examples/x/main.ts', '../../sdk/src/index.ts', '@passerby/sdk'],
];

it.each(FORBIDDEN)('%s may not import %s, and is told why', async (file, wrong, right) => {
  const why = DIRECTIONS.map((direction) => direction.why);
  for (const code of [`import '${wrong}';`, `export * from '${wrong}';`, `await import('${wrong}');`]) {
    expect(await complaints(file, code), code).toContainEqual(
      expect.stringMatching(/^passerby\/directions: .* may not import /),
    );
  }
  const [first] = await complaints(file, `import '${wrong}';`);
  expect(why.some((reason) => first!.endsWith(reason))).toBe(true);
  expect(await complaints(file, `import '${right}';`)).toEqual([]);
});

it('has a forbidden import above for every direction there is', async () => {
  const said = (await Promise.all(FORBIDDEN.map(([file, wrong]) => complaints(file, `import '${wrong}';`)))).flat();
  const silent = DIRECTIONS.filter(({ why }) => !said.some((line) => line.endsWith(why)));
  expect(silent).toEqual([]);
});

it('lets the one file that knows Engine.IO import it, and tests import what they like', async () => {
  expect(await complaints('sdk/src/connection/socket-io.ts', `import 'engine.io-client';`)).toEqual([]);
  expect(await complaints('api/src/socket/x.test.ts', `import '@passerby/sdk';`)).toEqual([]);
});

it.each([
  ['sdk/src/x.ts', 'export enum Colour { Red }', 'no-restricted-syntax'],
  ['widget/src/x.ts', 'document.body.innerHTML = name;', 'no-restricted-syntax'],
  ['widget/src/x.ts', 'document.write(name);', 'no-restricted-syntax'],
  ['widget/src/X.svelte', '<p style="color: red">x</p>', 'no-restricted-syntax'],
  [
    'widget/src/X.svelte',
    '<script lang="ts">let { text }: { text: string } = $props();</script>{@html text}',
    'svelte/no-at-html-tags',
  ],
  ['widget/src/X.svelte', `<script lang="ts">import '@passerby/sdk/protocol';</script>`, 'passerby/directions'],
  ['api/src/sessions/x.ts', 'console.log(1);', 'no-console'],
  ['api/src/limits/x.ts', 'export const since = Date.now();', 'no-restricted-syntax'],
  ['api/src/limits/x.ts', 'export const clock = Date.now;', 'no-restricted-syntax'],
  ['api/src/records/x.ts', 'export const at = new Date().toISOString();', 'no-restricted-syntax'],
  ['sdk/src/commands/x.ts', 'export const since = Date.now();', 'no-restricted-syntax'],
  ['api/src/http/x.ts', 'file.pipe(response);', 'passerby/no-pipe'],
  ['api/src/http/x.ts', `file?.['pipe'](response);`, 'passerby/no-pipe'],
  ['api/test/x.ts', 'near.pipe(far);', 'passerby/no-pipe'],
  ['api/src/state/x.ts', '/** What it is. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['sdk/src/x.ts', '/**\n * Whether it is.\n */\nexport const x = true;', 'passerby/doc-comment-start'],
  ['widget/src/x.ts', '/** So many are kept. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['widget/src/x.ts', '/** So often it is asked. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['widget/test/e2e/x.ts', '/** How it is done. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['.config/scripts/x.js', '/** Who does it. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['api/test/faults/x.ts', '/** What it does. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['api/src/app.ts', '/** Where it is. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['sdk/src/x.ts', '/** It was given away. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['api/match-lab/x.ts', '/** How it is done. */\nexport const x = 1;', 'passerby/doc-comment-start'],
  ['sdk/test/x.ts', '/** Whether it is. */\nexport const x = true;', 'passerby/doc-comment-start'],
])('%s may not say %s', async (file, code, rule) => {
  expect(await complaints(file, code)).toContainEqual(expect.stringMatching(new RegExp(`^${rule}: `)));
});

it.each(['api/src/clock.ts', 'sdk/src/internal/clock.ts', 'api/src/limits/x.test.ts'])(
  'lets %s ask the wall clock, and everybody make a date of a time',
  async (file) => {
    expect(await complaints(file, 'export const at = Date.now();')).toEqual([]);
    expect(await complaints('api/src/limits/x.ts', 'export const at = (time: number) => new Date(time);')).toEqual([]);
  },
);
it('lets a doc comment begin with a noun phrase or a verb, and other comments as they like', async () => {
  const code =
    '/** Number of what is kept. */\nexport const x = 1;\n// What else?\n/* How so? */\n/** However many. */\n';
  expect(await complaints('api/src/state/x.ts', code)).toEqual([]);
});

it('lets a schema pipe into a schema', async () => {
  expect(await complaints('api/src/contract/x.ts', 'export const x = text.pipe(url);')).toEqual([]);
});
