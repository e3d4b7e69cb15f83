import path from 'node:path';
import type { BrowserContextOptions } from '@playwright/test';
import type { ChatSnapshot } from '@passerby/sdk';
import { POLICY, WidgetStage } from './simulated-chat-page.ts';
import { expect, test } from './fixtures.ts';
import { VisitorPage } from './visitor-page.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const folder = path.join(root, 'test-results/screenshots');

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

// The picture in the README. Run it alone with `npm run screenshots -- -g 'demo page'`.
test('conversation on the demo page', async ({ browser, service }) => {
  const visit = async (options: BrowserContextOptions): Promise<VisitorPage> => {
    const context = await browser.newContext({ colorScheme: 'light', ...options });
    const visitor = await new VisitorPage(await context.newPage()).watch();
    await visitor.page.goto(`http://localhost:${new URL(service.url).port}/`);
    return visitor;
  };
  const ada = await visit({ viewport: { width: 1280, height: 760 } });
  const ben = await visit({});
  await ada.start();
  await ben.start();
  await ada.isTalking();
  await ben.isTalking();
  await ben.say('Did you ever take a night train with a bar?');
  await expect(ada.line('Did you ever take a night train with a bar?')).toBeVisible();
  await ada.say('Once. Nobody slept, and nobody minded.');
  await expect(ben.line('Once. Nobody slept, and nobody minded.')).toBeVisible();
  await ben.say('I would go for the double bass alone.');
  await expect(ada.line('I would go for the double bass alone.')).toBeVisible();
  await ada.say('Me too. And for the people at four in the morning.');
  await expect(ada.page.getByText('delivered', { exact: true })).toBeVisible();
  await ada.settle();
  await ada.page.screenshot({ path: path.join(root, 'docs/images/conversation.png') });
  await ada.context.close();
  await ben.context.close();
});

const RULES = {
  version: '1',
  text: 'Be kind. Behind every message sits a person.\n\nNo adverts, no links to shops.\n\nKeep names, addresses and numbers to yourself, and do not ask for them.\n\nSomebody who threatens, insults or presses others is shut out. You can leave, block and report at any moment.\n\nThose who look after this chat read only what is handed to them with a report.',
};
const talking: ChatSnapshot['state'] = {
  status: 'chatting',
  conversationId: 'c_1' as never,
  shared: { interests: ['night walks'], isSameTopic: false },
  peer: { presence: 'here', isTyping: false },
  messages: [
    { from: 'peer', id: 'p1', text: 'Look at these: https://lanterns.example/paper/folding', at: 0 },
    { from: 'me', id: 'm1', text: 'Lovely!', at: 0, status: 'sending' },
  ],
};
const banned = { code: 'banned', retry: 'after_delay', retryAfterMs: 5_400_000, message: '' } as never;
const STILLS: Readonly<Record<string, { show: Partial<ChatSnapshot>; press?: readonly string[] }>> = {
  '6-gate': { show: { policy: { ...POLICY, rules: RULES, ageBands: ['under 18', '18 and over'] } } },
  '7-conversation-with-link': { show: { state: talking } },
  '8-leave-notice': { show: { state: talking }, press: ['https://lanterns.example/paper/folding'] },
  '9-report': { show: { state: talking }, press: ['More', 'Report this person'] },
  '10-report-thanks': {
    show: { state: talking },
    press: ['More', 'Report this person', 'Adverts or fraud', 'Send report'],
  },
  '11-menu': { show: { state: talking }, press: ['More'] },
  '12-throttled': { show: { state: talking }, press: ['Send'] },
  '13-banned': { show: { state: { status: 'refused', error: banned } } },
};

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [size, options] of Object.entries(SIZES)) {
    for (const dir of ['ltr', 'rtl']) {
      test(`safety, ${colorScheme} on a ${size}, ${dir}`, async ({ browser }) => {
        const page = await (await browser.newContext({ colorScheme, ...options })).newPage();
        const visitor = new VisitorPage(page);
        const stage = await new WidgetStage(page).open({ html: `lang="en" dir="${dir}"` });
        for (const [name, { show, press = [] }] of Object.entries(STILLS)) {
          await stage.show(show, { dir });
          if (name === '12-throttled') await visitor.message.fill('Where did you get them?');
          for (const what of press) {
            const control = page
              .getByRole('button', { name: what, exact: true })
              .or(page.getByRole('link', { name: what }));
            await control
              .or(page.getByText(what, { exact: true }))
              .first()
              .click();
          }
          await visitor.settle();
          await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}-${size}-${dir}.png`) });
        }
        await page.context().close();
      });
    }
  }
}
