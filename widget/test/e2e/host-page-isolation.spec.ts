import { expect, test } from './fixtures.ts';

test('before it is opened it loads one file, stores nothing and sets no cookie', async ({ arrive, owner, service }) => {
  const visitor = await arrive();
  await expect(visitor.launcher).toBeVisible();
  await visitor.rest();

  expect(visitor.requestsBeside(owner.origin)).toEqual([`${service.url}/widget.js`]);
  expect(await visitor.context.cookies()).toEqual([]);
  expect(await stored(visitor.page)).toEqual({ local: 0, session: 0, databases: 0 });
});

test('it stores a running wait or conversation in the tab while it lasts, and nothing else', async ({
  arrive,
  site,
}) => {
  const [ada, ben] = [await arrive(), await arrive()];
  const stores = async (keys: readonly string[]): Promise<void> => {
    await expect.poll(async () => Object.keys(await ada.stored()).sort()).toEqual(keys);
    expect(await ada.context.cookies()).toEqual([]);
    expect(await stored(ada.page)).toEqual({ local: 0, session: keys.length, databases: 0 });
  };
  const both = [`passerby-widget:${site}:`, `passerby:${site}:`];
  await ada.open();
  await expect(ada.find).toBeEnabled();
  // Connected, so that all has come which could be stored.
  await expect(ada.page.getByText('Only you so far')).toBeVisible();
  await ada.rest();
  await stores([]);
  await ada.find.click();
  await stores(both);
  await ada.cancel.click();
  await stores([]);
  await ada.find.click();
  await ben.start();
  await ada.isTalking();
  await ada.say('hello');
  await expect(ben.line('hello')).toBeVisible();
  await stores(both);
  expect((await ada.stored())[`passerby:${site}:`]).toContain('hello');
  await ben.stop();
  await expect(ada.findAnother).toBeVisible();
  await stores([]);
});

test('a launcher whose chat does not load shows that, and loads it when pressed again', async ({ arrive }) => {
  const visitor = await arrive();
  const files = '**/passerby-chat.js*';
  await visitor.page.route(files, (route) => route.abort());
  await visitor.open();
  const failed = visitor.page.getByRole('button', { name: "Couldn't load. Try again" });
  await expect(failed).toBeVisible();
  await visitor.page.unroute(files);
  await failed.click();
  await expect(visitor.find).toBeVisible();
});

test('a launcher whose chat gets no answer shows that after a while', async ({ arrive }) => {
  const visitor = await arrive();
  await visitor.page.clock.install();
  await visitor.page.route('**/passerby-chat.js*', () => new Promise(() => {}));
  await visitor.open();
  await visitor.page.clock.fastForward(30_000);
  await expect(visitor.page.getByRole('button', { name: "Couldn't load. Try again" })).toBeVisible();
});

test('it sends requests to the service alone, and never sets a cookie', async ({ pair, owner, service }) => {
  const [ada, ben] = pair;
  await ada.say('hello');
  await expect(ben.line('hello')).toBeVisible();
  const hosts = [service.url, service.url.replace(/^http/, 'ws')];
  for (const visitor of pair) {
    const elsewhere = visitor
      .requestsBeside(owner.origin)
      .filter((url) => !hosts.some((host) => url.startsWith(`${host}/`)));
    expect(elsewhere).toEqual([]);
    expect(await visitor.context.cookies()).toEqual([]);
    expect((await stored(visitor.page)).local).toBe(0);
  }
});

test('it does not change the page: no global but the element, no style on the page', async ({ arrive }) => {
  const visitor = await arrive();
  const styleOf = (): Promise<string> =>
    visitor.page.evaluate(() => JSON.stringify({ ...getComputedStyle(document.querySelector('h1')!) }));
  const before = await styleOf();
  await visitor.open();
  await expect(visitor.find).toBeVisible();
  expect(await styleOf()).toBe(before);
  expect(await visitor.page.evaluate(() => document.styleSheets.length + document.adoptedStyleSheets.length)).toBe(0);
});

function stored(page: import('@playwright/test').Page): Promise<{ local: number; session: number; databases: number }> {
  return page.evaluate(async () => ({
    local: localStorage.length,
    session: sessionStorage.length,
    databases: (await indexedDB.databases()).length,
  }));
}
