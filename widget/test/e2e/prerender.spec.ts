import { chromium } from '@playwright/test';
import { type Chat, createChat } from '@passerby/sdk';
import { chromium as options } from '../../../.config/chromium.js';
import { expect, nextSite, test } from './street.ts';

/** What both pages do by themselves: nobody can look into a page before it is shown. */
const HELP = `
  const inChat = (selector) => document.querySelector('passerby-chat')?.shadowRoot?.querySelector(selector);
  const until = async (ask) => { for (;;) { const found = ask(); if (found) return found; await new Promise((resolve) => setTimeout(resolve, 50)); } };
  const say = async (text) => {
    const field = await until(() => inChat('textarea'));
    field.value = text;
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  };`;

const texts = (chat: Chat): string[] => {
  const { state } = chat.snapshot();
  return state.status === 'chatting' ? state.messages.map(({ text }) => text) : [];
};

for (const readyForMs of [500, 3_000]) {
  test(`a page that lay ready for ${readyForMs} ms before it was shown goes on with the conversation`, async ({
    owner,
    service,
  }) => {
    // The headless shell prepares no pages.
    await using browser = await chromium.launch(options);
    const site = nextSite();
    const page = (script: string, body = ''): string =>
      `<!doctype html><html lang="en"><head><title>A page</title><script>${HELP}${script}</script><script async src="${service.url}/widget.js" data-site="${site}" data-topic=""></script></head><body><h1>A page</h1>${body}</body></html>`;
    const second = owner.serve({
      body: page(`
        const tell = () => say('shown after ' + (performance.getEntriesByType('navigation')[0].activationStart > 0 ? 'lying ready' : 'a load'));
        document.prerendering ? document.addEventListener('prerenderingchange', tell) : addEventListener('load', tell);`),
    });
    const first = owner.serve({
      body: page(
        `addEventListener('load', async () => {
          (await until(() => inChat('.launcher'))).click();
          (await until(() => inChat('[data-focus].primary'))).click();
          await say('one');
          const rules = { prerender: [{ urls: [${JSON.stringify(new URL(second).pathname)}], eagerness: 'immediate' }] };
          document.head.append(Object.assign(document.createElement('script'), { type: 'speculationrules', textContent: JSON.stringify(rules) }));
          setTimeout(() => document.querySelector('a').click(), ${readyForMs});
        });`,
        `<a href="${new URL(second).pathname}">onward</a>`,
      ),
    });
    await using stranger = createChat({ url: service.url, site, origin: owner.origin });
    const visited = await browser.newPage();
    await visited.goto(first);
    await stranger.find();
    await expect.poll(() => texts(stranger)).toEqual(['one', 'shown after lying ready']);
  });
}
