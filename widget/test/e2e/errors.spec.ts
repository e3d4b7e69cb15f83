import { startService } from '../../../.config/test/service.ts';
import { expect, test } from './fixtures.ts';
import { VisitorPage } from './visitor-page.ts';

test('a page that is not listed by the site shows that the chat is not available', async ({ arrive }) => {
  const visitor = await arrive({ by: 'foreign' });
  await visitor.open();
  await expect(visitor.refusal).toBeVisible();
  await expect(visitor.find).toBeHidden();
});

test('a lost connection is shown, and messages sent meanwhile stay visible', async ({ browser, owner, site }) => {
  await using service = await startService([{ key: site, name: 'Shop', origins: [owner.origin] }]);
  const come = async (): Promise<VisitorPage> => {
    const context = await browser.newContext();
    const visitor = await new VisitorPage(await context.newPage()).watch();
    await visitor.page.goto(`${owner.origin}/?${new URLSearchParams({ api: service.url, site })}`);
    await visitor.start();
    return visitor;
  };
  const [ada, ben] = [await come(), await come()];
  await ada.isTalking();
  await ben.isTalking();

  await service.kill();
  await expect(ada.connectionLost).toBeVisible();
  await expect(ben.connectionLost).toBeVisible();
  await ada.say('are you there?');
  await expect(ada.line('are you there?')).toBeVisible();

  // The service comes back with an empty memory: the conversation is over, and it says so.
  await service.restart();
  await expect(ada.findAnother).toBeVisible();
  await expect(ada.connectionLost).toBeHidden();
  await expect(ada.page.getByText('are you there?')).toBeVisible();
  await expect(ben.findAnother).toBeVisible();
  for (const { context } of [ada, ben]) await context.close();
});

/** Vectors from collections of filter evasions: each would run if it were ever parsed as markup. */
const CORPUS = [
  `<script>window.hacked=1</script>`,
  `<img src=x onerror="window.hacked=1">`,
  `<svg onload=window.hacked=1>`,
  `<svg/onload=window.hacked=1//`,
  `"><script>window.hacked=1</script>`,
  `'"--></style></script><script>window.hacked=1</script>`,
  `<iframe srcdoc="<script>parent.hacked=1</script>"></iframe>`,
  `<a href="javascript:window.hacked=1">click</a>`,
  `javascript:window.hacked=1`,
  `<body onload=window.hacked=1>`,
  `<input autofocus onfocus=window.hacked=1>`,
  `<details open ontoggle=window.hacked=1>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.hacked=1&gt;">`,
  `{{constructor.constructor('window.hacked=1')()}}`,
  `{@html '<img src=x onerror=window.hacked=1>'}`,
  '${window.hacked=1}',
];

test("a stranger's message is text and nothing else", async ({ pair: [ada, ben] }) => {
  for (const text of CORPUS) {
    await ada.say(text);
    await expect(ben.line(text)).toBeVisible();
  }
  for (const { page, complaints } of [ada, ben]) {
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    await expect(
      page.locator('iframe, a[href^="javascript:"], img[src="x"], [onload], [onerror], [ontoggle]'),
    ).toHaveCount(0);
    expect(complaints).toEqual([]);
  }
});
