import { type Chat, createChat } from '@passerby/sdk';
import type { Frame } from '@playwright/test';
import { type Embed, HOST_PAGES } from './host-pages.ts';
import { isFocusInPanel, LAUNCHER, PANEL, shapeOf, texts } from './shape.ts';
import { expect, nextSite, test } from './fixtures.ts';
import { VisitorPage } from './visitor-page.ts';

for (const host of HOST_PAGES) {
  test.describe.serial(host.name, { tag: host.isDeep ? '@deep' : [] }, () => {
    let visitor: VisitorPage;
    let stranger: Chat;
    let inside: () => Frame;

    const talk = async (word: string): Promise<void> => {
      await visitor.say(word);
      await expect.poll(() => texts(stranger)).toContain(word);
      stranger.send(`${word}, too`);
      await expect(visitor.line(`${word}, too`)).toBeVisible();
    };

    test.beforeAll(async ({ browser, owner, service }) => {
      const site = nextSite();
      const tag = `<script async src="${service.url}/widget.js" data-site="${site}"></script>`;
      let embed: Embed = { api: service.url, site, tag };
      if (host.inFrame) embed = { ...embed, inFrame: owner.serve({ body: host.inFrame(embed) }) };

      const page = await browser.newPage({ viewport: { width: 1000, height: 700 }, reducedMotion: 'reduce' });
      visitor = await new VisitorPage(page, host.inFrame && page.frameLocator('[name=inside]')).watch();
      inside = () => (host.inFrame ? page.frame('inside')! : page.mainFrame());
      await host.prepare?.(page);
      const address = owner.serve({
        body: await host.html(embed),
        ...(host.type && { type: host.type }),
        ...(host.policy && { policy: host.policy(embed) }),
      });
      await page.goto(address);
      stranger = createChat({ url: service.url, site, origin: owner.origin });
    });
    test.afterAll(async () => {
      await stranger.close();
      await visitor.page.close();
    });

    test('launcher seen', async () => {
      await expect(visitor.launcher).toBeVisible();
      await host.settle?.(inside());
      await expect(visitor.launcher).toBeInViewport({ ratio: 1 });
      expect(await inside().evaluate(shapeOf, ['.launcher', host.zoom ?? 1] as const)).toEqual(LAUNCHER);
    });

    test('opened', async () => {
      await visitor.open();
      await expect(visitor.find).toBeInViewport({ ratio: 1 });
      expect(await inside().evaluate(shapeOf, ['.panel', host.zoom ?? 1] as const)).toEqual(PANEL);
      expect(await inside().evaluate(isFocusInPanel)).toBe(true);
    });

    test('talked', async () => {
      await visitor.find.click();
      await stranger.find(await inside().evaluate(() => ({ topic: location.pathname })));
      await visitor.isTalking();
      await talk('one');
      if (!host.change) return;
      await host.change(inside());
      await talk('two');
      await expect(inside().locator('passerby-chat')).toHaveCount(1);
    });

    test('reloaded', async () => {
      await visitor.page.reload();
      await host.settle?.(inside());
      await visitor.isTalking();
      await talk('three');
      expect(await inside().evaluate(shapeOf, ['.panel', host.zoom ?? 1] as const)).toEqual(PANEL);
    });

    test('removed', async () => {
      await inside().evaluate(() => (globalThis as unknown as { passerbyChat: Element }).passerbyChat.remove());
      await expect.poll(() => stranger.snapshot().state).toMatchObject({ status: 'ended', reason: 'peer_left' });
      await host.change?.(inside());
      await expect(inside().locator('passerby-chat')).toHaveCount(0);
      expect(Object.keys(await visitor.stored()).filter((key) => key.startsWith('passerby'))).toEqual([]);
      // React says in the console why it draws the document anew.
      expect(visitor.complaints.filter((complaint) => !complaint.startsWith('Warning: '))).toEqual([]);
      expect(visitor.violations).toEqual([]);
    });
  });
}
