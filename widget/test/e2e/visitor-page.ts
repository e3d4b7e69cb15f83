import { expect, type BrowserContext, type FrameLocator, type Locator, type Page } from '@playwright/test';

/** Visitor in a browser of their own: what they can see and do, by accessible names. */
export class VisitorPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly launcher: Locator;
  readonly find: Locator;
  readonly cancel: Locator;
  readonly message: Locator;
  readonly send: Locator;
  readonly next: Locator;
  readonly more: Locator;
  readonly findAnother: Locator;
  readonly elsewhere: Locator;
  readonly useHere: Locator;
  readonly log: Locator;
  readonly typing: Locator;
  readonly refusal: Locator;
  readonly connectionLost: Locator;

  /** Violations of the page's Content Security Policy. */
  readonly violations: string[] = [];
  /** Addresses the page requested, WebSockets too, in order. */
  readonly requests: string[] = [];
  /** Errors and warnings of the console, and uncaught exceptions. */
  readonly complaints: string[] = [];

  /** @param within - the frame that the chat is in, if not the page itself */
  constructor(page: Page, within: Pick<FrameLocator, 'getByRole' | 'getByText'> = page) {
    this.page = page;
    this.context = page.context();
    const button = (name: string): Locator => within.getByRole('button', { name, exact: true });
    this.launcher = within.getByRole('button', { name: 'Talk to someone' });
    this.find = button('Find someone');
    this.cancel = button('Cancel');
    this.message = within.getByRole('textbox', { name: 'Message' });
    this.send = button('Send');
    this.next = button('Next stranger');
    this.more = button('More');
    this.findAnother = button('Find someone else');
    this.elsewhere = within.getByRole('heading', { name: 'This chat is open in another tab.' });
    this.useHere = button('Use it here');
    this.log = within.getByRole('log');
    this.typing = within.getByText('typing…').first();
    this.refusal = within.getByText('This chat is not available here.');
    this.connectionLost = within.getByText('Connection lost. Trying again…');
  }

  /** Starts listening before the page can do anything. */
  async watch(): Promise<this> {
    const { page } = this;
    await page.exposeFunction('passerbyViolation', (text: string) => this.violations.push(text));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const report = (globalThis as unknown as { passerbyViolation: (text: string) => void }).passerbyViolation;
        report(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
      });
    });
    page.on('console', (entry) => {
      if (/Content Security Policy|Trusted ?Type|TrustedHTML/i.test(entry.text())) this.violations.push(entry.text());
      if (['error', 'warning'].includes(entry.type())) this.complaints.push(entry.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
    return this;
  }

  async open(): Promise<void> {
    await this.launcher.click();
  }

  async start(): Promise<void> {
    await this.open();
    await this.find.click();
  }

  async say(text: string): Promise<void> {
    await this.message.fill(text);
    await this.send.click();
  }

  /**
   * Sends all texts as fast as the page accepts them and, with `thenReload`, reloads at the moment of the last press of
   * Enter.
   */
  async sayFast(texts: readonly string[], { thenReload = false } = {}): Promise<void> {
    const loaded = thenReload ? this.page.waitForEvent('load') : null;
    const type = async ([words, isLeaving]: readonly [readonly string[], boolean]): Promise<void> => {
      const root = document.querySelector('passerby-chat')!.shadowRoot!;
      const press = (text: string): void => {
        const field = root.querySelector('textarea')!;
        field.value = text;
        field.dispatchEvent(new InputEvent('input', { bubbles: true }));
        field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
      };
      for (const text of isLeaving ? words.slice(0, -1) : words) {
        press(text);
        await new Promise((resolve) => setTimeout(resolve));
        if (root.querySelector('textarea')!.value !== '') throw new Error(`The page did not take "${text}".`);
      }
      // Once this call has returned: it would end with the page.
      if (isLeaving) setTimeout(() => (press(words.at(-1)!), location.reload()));
    };
    await this.page.evaluate(type, [texts, thenReload] as const);
    await loaded;
  }

  /** Returns the messages in the log, from top to bottom. */
  async said(): Promise<{ mine: string[]; theirs: string[] }> {
    return {
      mine: await this.log.locator('.me .bubble').allInnerTexts(),
      theirs: await this.log.locator('.peer .bubble').allInnerTexts(),
    };
  }

  /** Returns the session storage of the page. */
  stored(): Promise<Record<string, string>> {
    return this.page.evaluate(() => ({ ...sessionStorage }));
  }

  /** Opens another page of the same site, in the same tab. */
  async turnTo(path: '/' | '/more'): Promise<void> {
    const address = new URL(this.page.url());
    address.pathname = path;
    await this.page.goto(address.href);
  }

  /** Opens the same page in another tab of the same browser. */
  async openTab(): Promise<VisitorPage> {
    const tab = await new VisitorPage(await this.context.newPage()).watch();
    await tab.page.goto(this.page.url());
    return tab;
  }

  async skip(): Promise<void> {
    await this.passFirstMoment();
    await this.next.click();
  }

  /**
   * Puts the page's monotonic clock ahead, beyond the moment after a match in which "Next stranger" does nothing: a
   * press then was meant for the one before.
   */
  async passFirstMoment(): Promise<void> {
    await this.page.evaluate(() => {
      const now = performance.now.bind(performance);
      performance.now = () => now() + 1_000;
    });
  }

  async stop(): Promise<void> {
    await this.more.click();
    await this.page
      .getByRole('menuitem', { name: 'Leave', exact: true })
      .or(this.page.getByRole('button', { name: 'Leave', exact: true }))
      .click();
  }

  /** Waits until all animations but the endless ones (searching, typing) are over. */
  async settle(): Promise<void> {
    await this.page.evaluate(async () => {
      const roots = [document, ...[...document.querySelectorAll('*')].flatMap(({ shadowRoot }) => shadowRoot ?? [])];
      const moving = (): Animation[] =>
        roots
          .flatMap((root) => root.getAnimations())
          .filter(
            ({ effect, playState }) => playState === 'running' && effect?.getComputedTiming().iterations !== Infinity,
          );
      const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));
      await frame().then(frame);
      while (moving().length > 0) {
        await Promise.allSettled(moving().map(({ finished }) => finished));
        await frame();
      }
    });
  }

  /** Waits until the page has loaded, has been drawn, and has had an answer that it asked for after all else. */
  async rest(): Promise<void> {
    await rest(this.page, this.page.url());
  }

  /** Message of the conversation with exactly this text. */
  line(text: string): Locator {
    return this.log.getByText(text, { exact: true });
  }

  async isTalking(): Promise<void> {
    await expect(this.message).toBeVisible();
    await expect(this.message).toBeEnabled();
  }

  /** Returns the requests that were not for the page itself. */
  requestsBeside(origin: string): string[] {
    return this.requests.filter((url) => !url.startsWith(`${origin}/`));
  }
}

/**
 * Waits until a page has loaded, has been drawn, and has had an answer from `url`, which it may connect to. Whatever it
 * began by itself before has been requested, run or refused by then.
 */
export async function rest(page: Page, url: string): Promise<void> {
  await page.waitForLoadState('load');
  await page.evaluate(async (asked) => {
    // Not `requestIdleCallback`: it is never called while a finger rests on the screen.
    const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    await drawn();
    const answer = await fetch(asked, { cache: 'no-store' });
    await answer.text();
    await drawn();
  }, url);
}
