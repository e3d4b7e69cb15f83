import { chromium } from '@playwright/test';
import { chromium as options } from '../../../.config/chromium.js';
import { expect, test } from './fixtures.ts';
import { VisitorPage } from './visitor-page.ts';

test('going back to the page before goes on too', async ({ pair: [ada, ben] }) => {
  await ada.say('one');
  await ada.turnTo('/more');
  await ada.say('two');
  await ada.page.goBack();
  await expect(ada.line('two')).toBeVisible();
  await ada.say('three');
  await expect(ben.line('three')).toBeVisible();
  await ben.say('four');
  await expect(ada.line('four')).toBeVisible();
  expect(await ada.said()).toEqual({ mine: ['one', 'two', 'three'], theirs: ['four'] });
  expect(await ben.said()).toEqual({ mine: ['four'], theirs: ['one', 'two', 'three'] });
});

test('a page that the browser kept whole while the visitor was on another site goes on where it was', async ({
  arrive,
  service,
  owner,
  site,
}) => {
  // The headless shell has no back-forward cache. Playwright turns that of Chromium off, and cannot look into a page that
  // came out of it: the page itself tells.
  await using browser = await chromium.launch({
    ...options,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
  const query = new URLSearchParams({ api: service.url, site });
  const ada = await new VisitorPage(await browser.newPage()).watch();
  await ada.page.goto(`${owner.origin}/?${query}`);
  const ben = await arrive();
  await ada.start();
  await ben.start();
  await ada.isTalking();
  await ben.isTalking();
  await ada.page.evaluate(() => {
    addEventListener('pageshow', ({ persisted }) => {
      const root = document.querySelector('passerby-chat')!.shadowRoot!;
      const tell = (): void => {
        const heard = root.querySelectorAll('.peer .bubble');
        if (heard.length < 2) return;
        clearInterval(looking);
        const field = root.querySelector('textarea')!;
        field.value = `${persisted ? 'kept whole' : 'loaded anew'}, heard ${[...heard].map((line) => line.textContent).join(' and ')}`;
        field.dispatchEvent(new InputEvent('input', { bubbles: true }));
        field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
      };
      const looking = setInterval(tell, 100);
    });
  });
  await ben.say('one');
  await expect(ada.line('one')).toBeVisible();
  await ada.page.goto(`${owner.foreignOrigin}/?${query}`);
  await ben.say('two');
  await expect(ben.page.getByText('away for a moment')).toBeVisible();
  await ada.page.evaluate(() => void setTimeout(() => history.back()));
  await expect(ben.line('kept whole, heard one and two')).toBeVisible();
});
