import { type Chat, createChat } from '@passerby/sdk';
import type { Service } from '../../../.config/test/service.ts';
import { isFocusInPanel, LAUNCHER, PANEL, shapeOf, texts } from './shape.ts';
import { type SiteOwner } from './site-owner.ts';
import { expect, nextSite, test } from './fixtures.ts';
import { UnwatchedBrowser } from './unwatched-browser.ts';

/** Panel at its full height, for which the window is high enough. */
const PANEL_IN_FULL = { ...PANEL, size: [376, 640] };

interface Way {
  readonly name: string;
  /** Leads the visitor to the page: one that was prerendered, or one that is restored. */
  readonly comeBy: (browser: UnwatchedBrowser, owner: SiteOwner, html: string) => Promise<void>;
}

const WAYS: readonly Way[] = [
  {
    name: 'a prerendered page',
    comeBy: async (browser, owner, html) => {
      const next = owner.serve({ body: html });
      const loaded = browser.whenLoaded(new URL(next).pathname);
      await browser.ask((address) => {
        const rules = { prerender: [{ urls: [address], eagerness: 'immediate' }] };
        const script = document.createElement('script');
        script.type = 'speculationrules';
        script.textContent = JSON.stringify(rules);
        document.head.append(script);
      }, next);
      await loaded;
      // It lies ready for a while, as such pages do: what it asked the browser for is not answered before it is seen.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await browser.ask((address) => {
        const link = document.createElement('a');
        link.href = address;
        document.body.append(link);
        return () => link.click();
      }, next);
      const activatedAt = await browser.ask(
        () =>
          (performance.getEntriesByType('navigation')[0] as { activationStart?: number } | undefined)?.activationStart,
      );
      expect(activatedAt).toBeGreaterThan(0);
    },
  },
  {
    name: 'the back/forward cache',
    comeBy: async (browser, owner) => {
      const away = owner.serve({
        body: '<!doctype html><title>Elsewhere</title><script>onpageshow = () => setTimeout(() => history.back(), 1000)</script>',
      });
      await browser.ask((address) => () => void (location.href = address), foreign(owner, away));
      expect(await browser.ask(() => (globalThis as { wasKept?: boolean }).wasKept)).toBe(true);
    },
  },
];

for (const { name, comeBy } of WAYS) {
  test.describe.serial(name, () => {
    let browser: UnwatchedBrowser;
    let stranger: Chat;
    let html: string;

    const talk = async (word: string): Promise<void> => {
      await browser.ask(say, word);
      await expect.poll(() => texts(stranger)).toContain(word);
      stranger.send(`${word}, too`);
      await expect.poll(() => browser.ask(words)).toContain(`${word}, too`);
    };

    test.beforeAll(async ({ owner, service }) => {
      const site = nextSite();
      browser = await UnwatchedBrowser.start();
      html = htmlOf(browser, service, site);
      await browser.open(owner.serve({ body: html }));
      stranger = createChat({ url: service.url, site, origin: owner.origin });
    });
    test.afterAll(async () => {
      await stranger.close();
      await browser[Symbol.asyncDispose]();
    });

    test('launcher seen', async ({ owner }) => {
      await expect.poll(() => browser.ask(has, '.launcher')).toBe(true);
      await comeBy(browser, owner, html);
      await expect.poll(() => browser.ask(has, '.launcher')).toBe(true);
      expect(await browser.ask(shapeOf, ['.launcher', 1] as const)).toEqual(LAUNCHER);
    });

    test('opened', async () => {
      await browser.ask(press, '.launcher');
      await expect.poll(() => browser.ask(has, '.panel .primary')).toBe(true);
      expect(await browser.ask(shapeOf, ['.panel', 1] as const)).toEqual(PANEL_IN_FULL);
      expect(await browser.ask(isFocusInPanel)).toBe(true);
    });

    test('talked', async ({ owner }) => {
      await browser.ask(press, '.panel .primary');
      await stranger.find(await browser.ask(() => ({ topic: location.pathname })));
      await expect.poll(() => browser.ask(has, 'textarea')).toBe(true);
      await talk('one');
      await comeBy(browser, owner, html);
      await expect.poll(() => browser.ask(words)).toContain('one, too');
      await talk('two');
    });

    test('reloaded', async () => {
      await browser.ask(() => () => location.reload());
      await expect.poll(() => browser.ask(words)).toContain('two, too');
      await talk('three');
      expect(await browser.ask(shapeOf, ['.panel', 1] as const)).toEqual(PANEL_IN_FULL);
    });

    test('removed', async ({ owner }) => {
      await browser.ask(() => (globalThis as unknown as { passerbyChat: Element }).passerbyChat.remove());
      await expect.poll(() => stranger.snapshot().state).toMatchObject({ status: 'ended', reason: 'peer_left' });
      expect(await browser.ask(() => document.querySelectorAll('passerby-chat').length)).toBe(0);
      expect(await browser.ask(() => Object.keys(sessionStorage))).toEqual([]);
      // Another page of the site has a chat of its own.
      await comeBy(browser, owner, html);
      expect(await browser.ask(words)).not.toContain('three');
    });
  });
}

test.describe.serial('Back to a page of the cache', () => {
  let browser: UnwatchedBrowser;
  let isOpen = false;
  test.beforeAll(async () => {
    browser = await UnwatchedBrowser.start();
  });
  test.afterAll(() => browser[Symbol.asyncDispose]());

  const turnTo = (address: string) => browser.ask((next) => () => void (location.href = next), address);
  /** Shows the page of a site that nobody has been on, with its launcher. */
  const visit = async (address: string): Promise<void> => {
    await (isOpen ? turnTo(address) : browser.open(address));
    isOpen = true;
    await expect.poll(() => browser.ask(has, '.launcher')).toBe(true);
  };
  const openPanel = async (): Promise<void> => {
    await browser.ask(press, '.launcher');
    await expect.poll(() => browser.ask(has, '.panel .primary')).toBe(true);
  };
  const meet = async (stranger: Chat): Promise<void> => {
    await browser.ask(press, '.panel .primary');
    await stranger.find();
    await expect.poll(() => stranger.snapshot().state.status).toBe('chatting');
    await expect.poll(() => browser.ask(has, 'textarea')).toBe(true);
    stranger.send('one');
    await expect.poll(() => browser.ask(words)).toContain('one');
  };
  const goBack = async (): Promise<void> => {
    await browser.ask(() => () => history.back());
    expect(await browser.ask(() => (globalThis as { wasKept?: boolean }).wasKept)).toBe(true);
  };

  for (const [state, isOpened] of [
    ['nobody touched the launcher', false],
    ['the chat was open', true],
  ] as const) {
    test(`without a conversation continues what a later page began: ${state}`, async ({ owner, service, site }) => {
      const body = htmlOf(browser, service, site);
      await visit(owner.serve({ body }));
      if (isOpened) await openPanel();
      await turnTo(owner.serve({ body }));
      await expect.poll(() => browser.ask(has, '.launcher')).toBe(true);
      await openPanel();
      await using stranger = createChat({ url: service.url, site, origin: owner.origin });
      await meet(stranger);

      await goBack();
      await expect.poll(() => browser.ask(words)).toContain('one');
      await browser.ask(say, 'two');
      await expect.poll(() => texts(stranger)).toContain('two');
    });
  }

  test('with a conversation continues it after a visit to another site', async ({ owner, service, site }) => {
    await visit(owner.serve({ body: htmlOf(browser, service, site) }));
    await openPanel();
    await using stranger = createChat({ url: service.url, site, origin: owner.origin });
    await meet(stranger);

    const elsewhere = `<!doctype html><title>Elsewhere</title>${browser.driver}`;
    await turnTo(foreign(owner, owner.serve({ body: elsewhere })));
    await expect.poll(() => browser.ask(() => document.title)).toBe('Elsewhere');
    stranger.send('two');
    await goBack();
    await expect.poll(() => browser.ask(words)).toContain('two');
    expect(await browser.ask(words)).toContain('one');
    await browser.ask(say, 'three');
    await expect.poll(() => texts(stranger)).toContain('three');
  });
});

const htmlOf = (browser: UnwatchedBrowser, service: Service, site: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>${browser.driver}<script async src="${service.url}/widget.js" data-site="${site}"></script><h1>Lanterns and maps</h1></html>`;

/** Address of the same document under a host name of another site. */
const foreign = (owner: SiteOwner, address: string): string => address.replace(owner.origin, owner.foreignOrigin);

/** Runs in the page. */
const has = (selector: string): boolean =>
  !!document.querySelector('passerby-chat')?.shadowRoot?.querySelector(selector);

/** Runs in the page. */
const press = (selector: string): void =>
  document.querySelector('passerby-chat')!.shadowRoot!.querySelector<HTMLElement>(selector)!.click();

/** Runs in the page. */
const words = (): string =>
  document.querySelector('passerby-chat')?.shadowRoot?.querySelector<HTMLElement>('.panel')?.innerText ?? '';

/** Runs in the page. */
const say = (text: string): void => {
  const field = document.querySelector('passerby-chat')!.shadowRoot!.querySelector('textarea')!;
  field.value = text;
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
  field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
};
