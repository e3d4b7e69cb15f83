import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ChatSnapshot } from '@passerby/sdk';
import type { Page } from '@playwright/test';
import { policyWith } from '../../../sdk/test/fixtures/policy.ts';

const dist = path.resolve(import.meta.dirname, '../../dist');

/** Origin of the widget's files in this fixture. Neither host name resolves. */
export const API = 'https://chat.test';
const PAGE = 'https://page.test';

export const POLICY = policyWith({ interests: ['maps', 'night walks', 'jazz'], hasLinks: true, history: 'reports' });

export interface StageOptions {
  /** Content of the page's body. */
  readonly body?: string;
  /** Attributes of `<html>`. */
  readonly html?: string;
  /** Text appended to a file as it is served, by file name. */
  readonly tampered?: Readonly<Record<string, string>>;
}

/**
 * Page under the strictest possible Content Security Policy and the widget's files, without a server. Notes what is
 * requested and what was blocked.
 */
export class WidgetStage {
  readonly page: Page;
  readonly requests: string[] = [];
  readonly violations: string[] = [];
  readonly dialogs: string[] = [];

  constructor(page: Page) {
    this.page = page;
  }

  async open({ body = '', html = 'lang="en"', tampered = {} }: StageOptions = {}): Promise<this> {
    const { page } = this;
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('dialog', (dialog) => {
      this.dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await page.exposeFunction('passerbyViolation', (text: string) => this.violations.push(text));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const report = (globalThis as unknown as { passerbyViolation: (text: string) => void }).passerbyViolation;
        report(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
      });
    });
    await page.context().route('**/*', async (route) => {
      const url = new URL(route.request().url());
      if (url.origin === PAGE) {
        await route.fulfill({
          contentType: 'text/html; charset=utf-8',
          headers: { 'content-security-policy': STRICT },
          body: `<!doctype html><html ${html}><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A page</title><body>${body}`,
        });
        return;
      }
      const name = path.basename(url.pathname);
      if (url.origin !== API || !name.endsWith('.js')) {
        await route.abort();
        return;
      }
      const file = await readFile(path.join(dist, name), 'utf8');
      await route.fulfill({
        contentType: 'text/javascript',
        headers: { 'access-control-allow-origin': '*' },
        body: file + (tampered[name] ?? ''),
      });
    });
    await page.goto(`${PAGE}/`);
    return this;
  }

  /** Shows a widget whose chat has this snapshot and does nothing. */
  async show(snapshot: Partial<ChatSnapshot>, attributes: Readonly<Record<string, string>> = {}): Promise<void> {
    const whole: ChatSnapshot = {
      state: { status: 'idle' },
      connection: { status: 'connected' },
      online: { min: 12, max: 19 },
      policy: POLICY,
      agreed: { rules: null, ageBand: null },
      ...snapshot,
    };
    await this.page.evaluate(
      async ([shown, address, given]) => {
        await import(address);
        document.querySelector('passerby-chat')?.remove();
        const nothing = (): Promise<void> => Promise.resolve();
        const calls = ['connect', 'find', 'cancel', 'skip', 'leave', 'block', 'agree', 'report', 'close', 'takeOver'];
        const element = document.createElement('passerby-chat') as HTMLElement & { chat: unknown; open: () => void };
        for (const [name, value] of Object.entries({ site: 'pk_test_stage', ...given }))
          element.setAttribute(name, value);
        element.chat = {
          ...Object.fromEntries(calls.map((name) => [name, nothing])),
          snapshot: () => shown,
          subscribe: (listener: (snapshot: unknown) => void) => (listener(shown), nothing),
          on: () => nothing,
          typing: nothing,
          send: () => {
            throw Object.assign(new Error(), { code: 'rate_limited', retry: 'after_delay', retryAfterMs: 12_000 });
          },
        };
        document.body.append(element);
        element.open();
      },
      [whole, `${API}/widget/0.1.0/passerby-chat.js`, attributes] as const,
    );
  }
}

const STRICT = [
  `default-src 'none'`,
  `script-src ${API}`,
  `connect-src ${API} ${API.replace(/^http/, 'ws')}`,
  `require-trusted-types-for 'script'`,
  `trusted-types 'none'`,
].join('; ');

/** Hash of a built file, as an `integrity` attribute has it. */
export async function integrityOf(name: string): Promise<string> {
  return `sha384-${createHash('sha384')
    .update(await readFile(path.join(dist, name)))
    .digest('base64')}`;
}
