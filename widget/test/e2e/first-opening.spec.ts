import type { Page } from '@playwright/test';
import { CAREFUL_SITE, expect, test } from './fixtures.ts';
import { rest } from './visitor-page.ts';

type Chat = HTMLElement & Record<'open' | 'close', () => void> & { strings: object; claims: unknown };

/** Runs a function in the page, with the element of its script tag. */
const withChat = (page: Page, use: (chat: Chat) => void) =>
  page.evaluate(`(${String(use)})(window.passerbyChat)`) as Promise<void>;

const isFocusIn = (page: Page) =>
  page.evaluate(() => {
    const { shadowRoot } = document.querySelector('passerby-chat')!;
    return shadowRoot!.querySelector('.panel')?.contains(shadowRoot!.activeElement) ?? false;
  });

test('by keyboard the focus moves in, and Escape closes it and restores the focus', async ({ arrive }) => {
  const visitor = await arrive();
  await expect(visitor.launcher).toBeVisible();
  await visitor.page.keyboard.press('Tab');
  await visitor.page.keyboard.press('Enter');
  await expect(visitor.find).toBeVisible();
  await expect.poll(() => isFocusIn(visitor.page)).toBe(true);
  await visitor.page.keyboard.press('Escape');
  await expect(visitor.find).toBeHidden();
  await expect(visitor.launcher).toBeFocused();
});

test('by a click before the code is loaded the focus moves in as well', async ({ arrive }) => {
  const visitor = await arrive();
  await visitor.launcher.evaluate((button) => (button as HTMLElement).click());
  await expect(visitor.find).toBeVisible();
  await expect.poll(() => isFocusIn(visitor.page)).toBe(true);
});

/** Moments at which a finger is lifted, by what has happened since it touched the launcher. */
const LIFTS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  'at once': async () => {},
  'while the code is on its way': async (page) => {
    await expect.poll(() => page.locator('link[rel=modulepreload]').count()).toBe(1);
  },
  'as soon as the code has run': (page) =>
    page.evaluate(() => customElements.whenDefined('passerby-chat').then(() => 0)),
  'when the panel could have been drawn': async (page) => {
    await page.evaluate(() => customElements.whenDefined('passerby-chat').then(() => 0));
    await rest(page, page.url());
  },
};
for (const [moment, lift] of Object.entries(LIFTS)) {
  test(`a tap on a phone is not lost: finger lifted ${moment}`, async ({ arrive }) => {
    const visitor = await arrive({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
    const { page } = visitor;
    const cdp = await page.context().newCDPSession(page);
    // The first time the code has to come, then the browser has it.
    for (const isKept of [false, true]) {
      if (isKept) await page.reload();
      const { x, y, width, height } = (await visitor.launcher.boundingBox())!;
      const touchPoints = [{ x: x + width / 2, y: y + height / 2 }];
      await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
      await lift(page);
      await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
      await expect(visitor.find).toBeVisible();
    }
  });
}

test('properties set before the code is loaded are kept', async ({ arrive }) => {
  const visitor = await arrive();
  await expect(visitor.launcher).toBeVisible();
  await withChat(visitor.page, (chat) => {
    chat.strings = { find: 'Jemanden finden' };
    chat.claims = 'none that could be right';
  });
  await visitor.open();
  // The service was told, and does not take it.
  await expect(visitor.refusal).toBeVisible();
  await withChat(visitor.page, (chat) => {
    chat.strings = { notHere: 'Hier nicht' };
  });
  await expect(visitor.page.getByRole('heading', { name: 'Hier nicht' })).toBeVisible();
});

test('strings set before the code is loaded are shown', async ({ arrive }) => {
  const visitor = await arrive();
  await expect(visitor.launcher).toBeVisible();
  await withChat(visitor.page, (chat) => {
    chat.strings = { find: 'Jemanden finden' };
    chat.open();
  });
  await expect(visitor.page.getByRole('button', { name: 'Jemanden finden' })).toBeVisible();
  await withChat(visitor.page, (chat) => chat.close());
  await expect(visitor.page.getByRole('button', { name: 'Jemanden finden' })).toBeHidden();
});

test('the attribute opens it before the code is loaded', async ({ arrive }) => {
  const visitor = await arrive();
  await expect(visitor.launcher).toBeVisible();
  await withChat(visitor.page, (chat) => chat.setAttribute('open', ''));
  await expect(visitor.find).toBeVisible();
});

test('a part that did not load is requested under another address', async ({ pair: [ada] }) => {
  const asked: string[] = [];
  const files = '**/on-demand-*.js*';
  await ada.page.route(files, (route) => {
    asked.push(route.request().url());
    return asked.length === 1 ? route.abort() : route.continue();
  });
  const report = async (): Promise<void> => {
    await ada.more.click();
    await ada.page.getByRole('button', { name: 'Report this person' }).click();
  };
  await report();
  await expect(ada.page.getByText('It will be back in a moment.')).toBeVisible();
  await report();
  await expect(ada.page.getByRole('heading', { name: 'Report this person' })).toBeVisible();
  expect(asked.at(-1)).toBe(`${asked[0]}?`);
});

test('a form that did not load can be requested again', async ({ browser, owner, service }) => {
  await using context = await browser.newContext();
  const page = await context.newPage();
  let failures = 1;
  await page.route('**/on-demand-*.js*', (route) => (failures-- > 0 ? route.abort() : route.continue()));
  await page.goto(`${owner.origin}/?${new URLSearchParams({ api: service.url, site: CAREFUL_SITE }).toString()}`);
  await page.getByRole('button', { name: 'Talk to someone here' }).click();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'Before you start' })).toBeVisible();
});

test('the console tells the owner of a refused page what to add', async ({ arrive, owner }) => {
  const visitor = await arrive({ by: 'foreign' });
  await visitor.open();
  await expect(visitor.refusal).toBeVisible();
  expect(visitor.complaints.join()).toContain(`add ${owner.foreignOrigin} to the origins`);
});
