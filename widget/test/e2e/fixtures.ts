import { test as base, type BrowserContextOptions } from '@playwright/test';
import { type Service, startService } from '../../../.config/test/service.ts';
import { type SiteOwner, startSiteOwner } from './site-owner.ts';
import { VisitorPage } from './visitor-page.ts';

/** Options for a visitor who opens the page. */
export interface Arrival extends BrowserContextOptions {
  readonly path?: '/' | '/more' | '/strict';
  /** `foreign`: under an origin that is not on the site's list. */
  readonly by?: 'listed' | 'foreign';
}

interface PerTest {
  /** Key that no other test uses, so that no test meets the visitors of another. */
  site: string;
  /** Brings one more visitor, in a browser context of their own, to the owner's page. */
  arrive: (arrival?: Arrival) => Promise<VisitorPage>;
  /** Two visitors who have found each other. */
  pair: [VisitorPage, VisitorPage];
}

interface PerWorker {
  owner: SiteOwner;
  service: Service;
}

const siteKeys = Array.from({ length: 99 }, (_, index) => `pk_test_e2e_${String(index).padStart(2, '0')}`);
/** Site that asks for consent before the first search, and takes reports with messages. */
export const CAREFUL_SITE = 'pk_test_e2e_careful';
let sitesUsed = 0;
/** Returns a key that no other test uses. */
export const nextSite = (): string => siteKeys[sitesUsed++]!;

export const test = base.extend<PerTest, PerWorker>({
  owner: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from this pattern
    async ({}, use) => {
      await using owner = await startSiteOwner();
      await use(owner);
    },
    { scope: 'worker' },
  ],
  service: [
    async ({ owner }, use) => {
      const sites = siteKeys.map((key) => ({
        key,
        name: 'Lanterns and maps',
        origins: [owner.origin],
        interests: ['maps', 'night walks', 'jazz'],
      }));
      // As the demo pages have it, which the service itself serves.
      const demo = { key: 'pk_test_demo', name: 'Demo', origins: ['http://localhost:*'] };
      const careful = {
        key: CAREFUL_SITE,
        name: 'Careful lanterns',
        origins: [owner.origin],
        ageBands: ['16-17', '18+'],
        rules: { version: '1', text: 'Be kind.' },
        history: 'reports',
      } as const;
      await using service = await startService([...sites, demo, careful]);
      await use(service);
    },
    { scope: 'worker' },
  ],
  // eslint-disable-next-line no-empty-pattern -- as above
  site: async ({}, use) => {
    await use(nextSite());
  },
  arrive: async ({ browser, owner, service, site }, use) => {
    const visitors: VisitorPage[] = [];
    await use(async ({ path = '/', by = 'listed', ...options } = {}) => {
      const context = await browser.newContext(options);
      const visitor = await new VisitorPage(await context.newPage()).watch();
      visitors.push(visitor);
      const address = new URL(path, by === 'listed' ? owner.origin : owner.foreignOrigin);
      address.search = new URLSearchParams({ api: service.url, site }).toString();
      await visitor.page.goto(address.href);
      return visitor;
    });
    for (const { context } of visitors) await context.close();
  },
  pair: async ({ arrive }, use) => {
    const [ada, ben] = [await arrive(), await arrive()];
    await ada.start();
    await ben.start();
    await ada.isTalking();
    await ben.isTalking();
    await use([ada, ben]);
  },
});

export { expect } from '@playwright/test';
