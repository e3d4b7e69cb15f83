import { exec } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { API, integrityOf, WidgetStage } from './simulated-chat-page.ts';
import { rest } from './visitor-page.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const OWNED = ';document.title="owned";';

/** Recipe of the docs, with the host of this fixture. */
async function recipe(): Promise<string> {
  const page = await readFile(path.join(root, 'docs/embedding.md'), 'utf8');
  const [, tag] = /```html\n(<script[^`]*?integrity[^`]*?<\/script>)\n```/.exec(page)!;
  return tag!.replace('https://chat.example.org', API);
}

test('S22 the tag of the docs has this version, and its command prints the hash of the served file', async () => {
  const { version } = JSON.parse(await readFile(path.join(root, 'widget/package.json'), 'utf8')) as { version: string };
  expect(await recipe()).toContain(`/widget/${version}/widget.js"`);
  const docs = await readFile(path.join(root, 'docs/embedding.md'), 'utf8');
  const [, hash] = /curl -s \S+ \| (openssl .*)/.exec(docs)!;
  const { stdout } = await promisify(exec)(`cat widget/dist/widget.js | ${hash}`, { cwd: root });
  expect(`sha384-${stdout}`).toBe(await integrityOf('widget.js'));
  const written = JSON.parse(await readFile(path.join(root, 'widget/dist/integrity.json'), 'utf8')) as object;
  for (const [name, known] of Object.entries(written)) expect(known, name).toBe(await integrityOf(name));
  expect(Object.keys(written)).toEqual(expect.arrayContaining(['widget.js', 'passerby-chat.js']));
});

const pinned = async (): Promise<string> =>
  (await recipe()).replace(/integrity="[^"]*"/, `integrity="${await integrityOf('widget.js')}"`);

test('S22 the unmodified build runs, with every chunk, and requests its own host only', async ({ page }) => {
  const stage = await new WidgetStage(page).open({ body: await pinned() });
  await page.getByRole('button', { name: 'Talk to someone here' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await stage.show({ policy: { ...(await import('./simulated-chat-page.ts')).POLICY, ageBands: ['a', 'b'] } });
  await expect(page.getByRole('heading', { name: 'Before you start' })).toBeVisible();
  expect(stage.violations).toEqual([]);
  const elsewhere = stage.requests.filter((url) => !url.startsWith('https://page.test/') && !url.startsWith(`${API}/`));
  expect(elsewhere).toEqual([]);
});

test('S22 a tampered loader does not run', async ({ page }) => {
  await new WidgetStage(page).open({ body: await pinned(), tampered: { 'widget.js': OWNED } });
  await rest(page, `${API}/widget.js`);
  expect(await page.title()).toBe('A page');
  await expect(page.locator('passerby-chat')).toHaveCount(0);
});

test('a tampered file of an unmodified loader does not run, and can be requested again', async ({ page }) => {
  const stage = await new WidgetStage(page).open({ body: await pinned(), tampered: { 'passerby-chat.js': OWNED } });
  await page.getByRole('button', { name: 'Talk to someone here' }).click();
  await expect(page.getByRole('button', { name: "Couldn't load. Try again" })).toBeVisible();
  const failures = stage.requests.filter((url) => url.includes('passerby-chat.js')).length;
  await page.getByRole('button', { name: "Couldn't load. Try again" }).click();
  await expect(page.getByRole('button', { name: "Couldn't load. Try again" })).toBeVisible();
  expect(stage.requests.filter((url) => url.includes('passerby-chat.js')).length).toBeGreaterThan(failures);
  expect(await page.title()).toBe('A page');
  expect(await page.evaluate(() => customElements.get('passerby-chat'))).toBeUndefined();
});

test('a tampered file that is loaded on demand does not run', async ({ page }) => {
  const written = JSON.parse(await readFile(path.join(root, 'widget/dist/integrity.json'), 'utf8')) as object;
  const chunk = Object.keys(written).find((name) => name.startsWith('on-demand-'))!;
  const stage = await new WidgetStage(page).open({ tampered: { [chunk]: OWNED } });
  await stage.show({ policy: { ...(await import('./simulated-chat-page.ts')).POLICY, ageBands: ['a', 'b'] } });
  await expect(page.getByText(/The chat is being updated/)).toBeVisible();
  expect(stage.requests.some((url) => url.endsWith(chunk))).toBe(true);
  expect(await page.title()).toBe('A page');
});
