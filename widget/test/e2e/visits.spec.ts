import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';

/** `max-age` of the widget's current files in this test. Seconds. */
const MAX_AGE_S = 1;

/** Starts a proxy in front of the service that shortens the `max-age` of files and notes which were answered 304. */
async function startShortLivedCopy(service: string) {
  const revalidated: string[] = [];
  const server = createServer((incoming, response) => {
    const { hostname, port } = new URL(service);
    const sent = request({ hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers });
    sent.on('response', (answer) => {
      const headers = { ...answer.headers };
      const kept = headers['cache-control'];
      if (kept !== undefined) headers['cache-control'] = kept.replace('max-age=300', `max-age=${MAX_AGE_S}`);
      if (answer.statusCode === 304) revalidated.push(incoming.url!);
      response.writeHead(answer.statusCode!, headers);
      pipeline(answer, response).catch(() => response.destroy());
    });
    sent.on('error', () => response.destroy());
    pipeline(incoming, sent).catch(() => sent.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    revalidated,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('S25 the widget loads at each visit to a foreign page, whatever the browser revalidated in between', async ({
  owner,
  service,
  site,
  browser,
}) => {
  await using copy = await startShortLivedCopy(service.url);
  await using context = await browser.newContext();
  const address = `${owner.origin}/?${new URLSearchParams({ api: copy.url, site }).toString()}`;
  const blocked: string[] = [];

  /** Opens the page, sees the launcher and opens the panel, which loads the rest. */
  const visit = async (): Promise<Page> => {
    const page = await context.newPage();
    page.on('requestfailed', (failed) => blocked.push(`${failed.url()} ${failed.failure()?.errorText}`));
    await page.goto(address);
    await open(page);
    return page;
  };
  const open = async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: 'Talk to someone here' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
  };
  const isRevalidated = (path: string, since: number) =>
    expect.poll(() => copy.revalidated.slice(since).includes(path), `${path} is answered 304`).toBe(true);

  await test.step('the first visit, and what a page asks again by force', async () => {
    const page = await visit();
    for (const path of ['/widget.js', '/passerby-chat.js']) {
      for (const mode of ['no-cors', 'cors'] as const) {
        await page.evaluate(([url, asked]) => fetch(url, { cache: 'no-cache', mode: asked }), [
          `${copy.url}${path}`,
          mode,
        ] as const);
      }
      await isRevalidated(path, 0);
    }
    await page.close();
  });

  await test.step('the second visit, and a reload', async () => {
    const page = await visit();
    await page.reload();
    await open(page);
    await page.close();
  });

  await test.step('the third visit, when what the browser has is too old', async () => {
    const since = copy.revalidated.length;
    await new Promise((resolve) => setTimeout(resolve, (MAX_AGE_S + 1) * 1_000));
    await (await visit()).close();
    await isRevalidated('/widget.js', since);
    await isRevalidated('/passerby-chat.js', since);
  });

  await test.step('the fourth visit', visit);
  expect(blocked.filter((line) => line.includes('BLOCKED'))).toEqual([]);
});
