import { readFileSync } from 'node:fs';
import type { SiteKey } from '@passerby/sdk/protocol';
import { expect, test, vi } from 'vitest';
import { Visitor } from '../harness.ts';
import { ServiceProcess } from '../../../.config/test/service-process.ts';
import { tempFolder } from '../temp-records.ts';
import { runCli, runLine } from './command-line.ts';

/** Command in docs/sites.md. */
const page = readFileSync(new URL('../../../docs/sites.md', import.meta.url), 'utf8');
const DOCUMENTED = /```sh\n(npx @passerby\/api site add .*)\n```/.exec(page)![1]!;
const ORIGIN = 'https://my.site';

/** Ten times the delay that docs/sites.md promises for any change, for a slow machine. Milliseconds. */
const SOON = { timeout: 60_000, interval: 20 };

async function isLetIn(service: { readonly url: string }, site: string, origin: string): Promise<boolean> {
  try {
    const visitor = await Visitor.arrive(service, { site, origin });
    visitor.socket.disconnect();
    return true;
  } catch {
    // Refused: what for is told nobody.
    return false;
  }
}

test('the command of docs/sites.md admits visitors of https://my.site, and nobody else', async () => {
  using folder = tempFolder();
  const env = { DATA_DIR: folder.path };
  await using service = await ServiceProcess.start(env);

  const { code, out } = await runLine(DOCUMENTED, env);
  expect(code).toBe(0);
  const [, key] = /<script async src="http:\/\/localhost:3000\/widget\.js" data-site="(pk_live_\w+)"><\/script>/.exec(
    out,
  )!;
  await vi.waitFor(async () => expect(await isLetIn(service, key!, ORIGIN)).toBe(true), SOON);
  expect(await isLetIn(service, key!, 'https://evil.example')).toBe(false);
  expect(await isLetIn(service, key!, 'http://localhost:8080')).toBe(false);

  // The secret is shown this once: neither another command nor the service ever has it again.
  const [secret] = /sk_live_[\w-]{43}/.exec(out)!;
  expect(out.split(secret!)).toHaveLength(2);
  const listed = await runCli('site list --json', env);
  expect(listed.out).toContain(key as SiteKey);
  expect(listed.out + service.output).not.toContain(secret!.slice(12, -4));
});

test('without a public address the tag is for this machine, at the port of the service', async () => {
  using folder = tempFolder();
  const { out } = await runCli('site add Shop --origin http://localhost:8080', { DATA_DIR: folder.path, PORT: '4321' });
  expect(out).toMatch(/<script async src="http:\/\/localhost:4321\/widget\.js" data-site="pk_test_\w+">/);
});

test('the start line contains a tag with the public address', async () => {
  await using service = await ServiceProcess.start({ PUBLIC_URL: 'https://chat.my.site/' });
  expect(service.output).toContain(
    'embed: <script async src="https://chat.my.site/widget.js" data-site="pk_test_demo">',
  );
});

test('a key revoked at the command line is refused, and its connections are closed', async () => {
  using folder = tempFolder();
  const env = { DATA_DIR: folder.path };
  await using service = await ServiceProcess.start(env);
  const added = await runCli(`site add Shop --origin ${ORIGIN} --json`, env);
  const { keys } = JSON.parse(added.out) as { keys: { id: string; text: string }[] };
  const [live, tried] = keys as [{ id: string; text: string }, { id: string; text: string }];
  await vi.waitFor(async () => expect(await isLetIn(service, live.text, ORIGIN)).toBe(true), SOON);
  await using visitor = await Visitor.arrive(service, { site: live.text, origin: ORIGIN });
  await using other = await Visitor.arrive(service, { site: tried.text, origin: ORIGIN });

  expect(await runCli(`site key revoke ${live.id}`, env)).toMatchObject({ code: 0, err: '' });
  await vi.waitFor(() => expect(visitor.socket.connected).toBe(false), SOON);
  expect(await isLetIn(service, live.text, ORIGIN)).toBe(false);
  expect(other.socket.connected).toBe(true);
});
