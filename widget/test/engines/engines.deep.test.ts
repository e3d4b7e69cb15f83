import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Chat, createChat } from '@passerby/sdk';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Service, startService } from '../../../.config/test/service.ts';
import { type SiteOwner, startSiteOwner } from '../e2e/site-owner.ts';
import { startCuttable } from './cuttable.ts';
import type { Engine } from './engine.ts';
import { startFirefox } from './firefox.ts';
import { startWebKit } from './webkit.ts';

/** Folder for screenshots, ignored by Git. */
const PICTURES = path.resolve(import.meta.dirname, '../../../test-results/engines');
const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = { Firefox: startFirefox, WebKit: startWebKit };
const SITES = ['pk_test_engine_talks', 'pk_test_engine_polls'] as const;
const SOON = { timeout: 30_000, interval: 100 };

describe.each(Object.entries(ENGINES))('%s', (name, start) => {
  let owner: SiteOwner;
  let service: Service;
  let way: Awaited<ReturnType<typeof startCuttable>>;
  let engine: Engine;
  let stranger: Chat;
  const used = new AsyncDisposableStack();

  beforeAll(async () => {
    await mkdir(PICTURES, { recursive: true });
    owner = used.use(await startSiteOwner());
    const origins = [owner.origin, owner.foreignOrigin];
    service = used.use(await startService(SITES.map((key) => ({ key, name: 'Lanterns', origins }))));
    way = used.use(await startCuttable(service.url));
    engine = used.use(await start());
  }, 120_000);
  afterAll(() => used.disposeAsync());

  const page = (at: '/' | '/more', origin = owner.origin): string =>
    `${origin}${at}?${new URLSearchParams({ api: way.url, site: SITES[0] }).toString()}`;
  /** Expression for an element of the chat, to be evaluated in the page. */
  const inChat = (selector: string): string =>
    `document.querySelector('passerby-chat')?.shadowRoot?.querySelector(${JSON.stringify(selector)})`;
  const is = (what: string, expression: string): Promise<void> =>
    vi.waitFor(async () => expect(await engine.evaluate(expression), what).toBe(true), SOON);
  const click = (selector: string) => engine.evaluate(`${inChat(selector)}.click()`);
  const words = async (): Promise<string> => String(await engine.evaluate(`${inChat('.panel')}?.innerText`));
  const picture = async (what: string) =>
    writeFile(path.join(PICTURES, `${name}-${what}.png`), await engine.screenshot());

  const heard = (): string[] => {
    const { state } = stranger.snapshot();
    return state.status === 'chatting' ? state.messages.map(({ text }) => text) : [];
  };
  /** Types a message by keyboard, and waits for the answer. */
  const talk = async (word: string): Promise<void> => {
    await is('the field is there', `Boolean(${inChat('textarea')})`);
    await engine.evaluate(`${inChat('textarea')}.focus()`);
    await engine.press(...word, 'Enter');
    await vi.waitFor(() => expect(heard()).toContain(word), SOON);
    stranger.send(`${word} too`);
    await vi.waitFor(async () => expect(await words()).toContain(`${word} too`), SOON);
  };

  test('opens by keyboard, with the focus in it', async () => {
    await engine.goto(page('/'));
    await is('the launcher is there', `Boolean(${inChat('.launcher')})`);
    for (let presses = 0; presses < 10; presses += 1) {
      if (await engine.evaluate(`document.activeElement?.localName === 'passerby-chat'`)) break;
      await engine.press('Tab');
    }
    await engine.press('Enter');
    await is('the focus is in the panel', `Boolean(${inChat('.panel :focus')})`);
    await picture('open');
  }, 120_000);

  test('is matched, and messages arrive on both sides', async () => {
    await engine.press('Enter');
    await is('it looks for somebody', `!${inChat('[data-focus].primary')}`);
    stranger = createChat({ url: service.url, site: SITES[0], origin: owner.origin });
    used.use(stranger);
    await stranger.find({ topic: '/' });
    await talk('one');
    await picture('talk');
  }, 120_000);

  test('continues after a reload', async () => {
    await engine.reload();
    await talk('two');
  }, 120_000);

  // Firefox keeps no page whole that holds a lock, as one in a conversation does: there it is loaded anew.
  const cameBack = `window.wasKept === ${name === 'Firefox' ? 'undefined' : 'true'}`;
  /** Makes the page note whether it comes out of the back/forward cache: only then it still has this listener. */
  const noteReturn = () =>
    engine.evaluate(`void addEventListener('pageshow', (event) => (window.wasKept = event.persisted))`);

  test('continues after Back from another page of the site', async () => {
    await noteReturn();
    await engine.goto(page('/more'));
    await talk('three');
    await engine.back();
    await is('the first page is there', `location.pathname === '/'`);
    await is('it came back as this browser has it', cameBack);
    await talk('four');
  }, 120_000);

  test('continues after Back from another site', async () => {
    await noteReturn();
    await engine.goto(`${owner.foreignOrigin}/more?api=${encodeURIComponent(way.url)}&site=${SITES[1]}`);
    await is('the other site is there', `location.hostname === 'localhost'`);
    await engine.back();
    await is('the first page is there', `location.hostname === '127.0.0.1'`);
    await is('it came back as this browser has it', cameBack);
    await talk('five');
  }, 120_000);

  test('loads a report after the network was cut', async () => {
    const report = async (): Promise<void> => {
      await click('[aria-label="More"]');
      await is('the menu is open', `Boolean(${inChat('.menu')})`);
      await engine.evaluate(
        `[...${inChat('.menu')}.querySelectorAll('button')].find((b) => b.innerText.includes('Report')).click()`,
      );
    };
    way.cut();
    await vi.waitFor(async () => expect(await words()).toMatch(/Connection lost/), SOON);
    await report();
    await vi.waitFor(async () => expect(await words()).toMatch(/It will be back in a moment/), SOON);
    way.restore();
    await vi.waitFor(async () => expect(await words()).not.toMatch(/Connection lost/), SOON);
    await report();
    await vi.waitFor(async () => expect(await words()).toMatch(/What is wrong\?/), SOON);
    // It is wider than its place in WebKit, by the margins of its foot, and must not scroll there.
    expect(await engine.evaluate(`getComputedStyle(${inChat('form.screen')}).overflowX`)).toBe('hidden');
    await picture('report');
  }, 120_000);

  test('uses long-polling if the page forbids WebSocket', async () => {
    const body = `<!doctype html><html lang="en"><title>A page</title><script async src="${way.url}/widget.js" data-site="${SITES[1]}"></script><h1>Lanterns</h1>`;
    const policy = `default-src 'none'; script-src ${way.url}; connect-src ${way.url}`;
    await engine.goto(owner.serve({ body, policy }));
    await is('the launcher is there', `Boolean(${inChat('.launcher')})`);
    await click('.launcher');
    await is(
      'it is connected',
      `Boolean(${inChat('[data-focus].primary')}) && !${inChat('.panel')}.innerText.includes('Connecting')`,
    );
    await click('[data-focus].primary');
    stranger = createChat({ url: service.url, site: SITES[1], origin: owner.origin });
    used.use(stranger);
    await stranger.find();
    await talk('six');
    await picture('polling');
  }, 120_000);
});
