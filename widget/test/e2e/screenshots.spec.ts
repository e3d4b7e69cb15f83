import path from 'node:path';
import type { BrowserContextOptions } from '@playwright/test';
import { expect, test } from './street.ts';

const folder = path.resolve(import.meta.dirname, '../../../test-results/screenshots');

const SIZES: Record<string, BrowserContextOptions> = {
  desktop: { viewport: { width: 1200, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [size, options] of Object.entries(SIZES)) {
    test(`${colorScheme} on a ${size}`, async ({ arrive }) => {
      const ada = await arrive({ colorScheme, ...options });
      const ben = await arrive();
      const shoot = async (screen: string): Promise<void> => {
        await ada.settle();
        await ada.page.screenshot({ path: path.join(folder, `${screen}-${colorScheme}-${size}.png`) });
      };
      await expect(ada.launcher).toBeVisible();
      await shoot('0-launcher');
      await ada.open();
      await expect(ada.find).toBeVisible();
      await shoot('1-start');
      await ada.find.click();
      await expect(ada.cancel).toBeVisible();
      await shoot('2-waiting');
      await ben.start();
      await ada.isTalking();
      await ben.say('Hello there. Are you reading about lanterns too?');
      await expect(ada.line('Hello there. Are you reading about lanterns too?')).toBeVisible();
      await ada.say('I am! The paper ones.');
      await ada.say('Have you ever folded one yourself?');
      await expect(ben.line('Have you ever folded one yourself?')).toBeVisible();
      await expect(ada.page.getByText('delivered', { exact: true })).toBeVisible();
      // Long enough for the next sign of typing: there is one every two seconds at most.
      await ben.message.pressSequentially('Once, for a night walk', { delay: 120 });
      await expect(ada.typing).toBeVisible();
      await shoot('3-conversation');
      const second = await ada.openTab();
      await second.open();
      await expect(second.elsewhere).toBeVisible();
      await second.settle();
      await second.page.screenshot({ path: path.join(folder, `5-elsewhere-${colorScheme}-${size}.png`) });
      await ben.skip();
      await expect(ada.findAnother).toBeVisible();
      await shoot('4-ended');
    });
  }
}
