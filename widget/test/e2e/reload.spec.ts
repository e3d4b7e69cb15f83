import { expect, test } from './fixtures.ts';
import type { VisitorPage } from './visitor-page.ts';

const numbered = (who: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${who} ${index + 1}`);

/** Expects all messages of both visitors, in order, none missing and none twice. */
async function hasAll(visitor: VisitorPage, mine: readonly string[], theirs: readonly string[]): Promise<void> {
  await expect
    .poll(async () => {
      const said = await visitor.said();
      return [said.mine.length, said.theirs.length];
    })
    .toEqual([mine.length, theirs.length]);
  expect(await visitor.said()).toEqual({ mine, theirs });
}

test('eight reloads of each side lose, repeat and reorder none of 80 messages each way', async ({
  pair: [ada, ben],
}) => {
  test.slow();
  const chunk = 10;
  const talk = async (visitor: VisitorPage, words: readonly string[]): Promise<void> => {
    for (let from = 0; from < words.length; from += chunk) {
      await visitor.sayFast(words.slice(from, from + chunk), { thenReload: true });
      await visitor.isTalking();
    }
  };
  const [hers, his] = [numbered('ada', 80), numbered('ben', 80)];
  await Promise.all([talk(ada, hers), talk(ben, his)]);
  await hasAll(ada, hers, his);
  await hasAll(ben, his, hers);
  for (const { complaints } of [ada, ben]) expect(complaints).toEqual([]);
});

test('another page of the site continues the conversation, the draft and the open panel', async ({
  pair: [ada, ben],
}) => {
  await ada.say('hello');
  await ben.say('hello yourself');
  await expect(ada.line('hello yourself')).toBeVisible();
  await ada.message.fill('half a sen');
  await ada.turnTo('/more');

  await expect(ada.message).toHaveValue('half a sen');
  await expect(ada.message).toBeVisible();
  expect(await ada.said()).toEqual({ mine: ['hello'], theirs: ['hello yourself'] });
  // The focus stays with the page.
  expect(await ada.page.evaluate(() => document.activeElement === document.body)).toBe(true);
  await ada.say('from the next page');
  await expect(ben.line('from the next page')).toBeVisible();
  await ben.say('welcome');
  await expect(ada.line('welcome')).toBeVisible();
  expect(ada.complaints).toEqual([]);
});

test('a closed panel stays closed on the next page, and its launcher counts new messages', async ({
  pair: [ada, ben],
}) => {
  await ada.page.getByRole('button', { name: 'Close' }).click();
  await ada.turnTo('/more');
  await expect(ada.page.getByRole('button', { name: 'Talk to someone here', exact: true })).toBeVisible();
  await expect(ada.message).toBeHidden();
  await ben.say('still there?');
  const counting = ada.page.getByRole('button', { name: 'Talk to someone here, 1 new' });
  await expect(counting).toBeVisible();
  await counting.click();
  await expect(ada.line('still there?')).toBeVisible();
});

test('a message sent while the peer was between two pages arrives', async ({ pair: [ada, ben] }) => {
  const address = ada.page.url();
  await ada.page.goto('about:blank');
  await ben.say('into the void');
  await ben.say('and again');
  await ada.page.goto(address);
  await expect(ada.line('and again')).toBeVisible();
  expect((await ada.said()).theirs).toEqual(['into the void', 'and again']);
});

test('a reload while waiting continues the wait, which is matched', async ({ arrive }) => {
  const [ada, ben] = [await arrive(), await arrive()];
  await ada.open();
  // Connected before the search, so that nothing but the search itself has it kept.
  await expect(ada.page.getByText('Only you so far')).toBeVisible();
  await ada.find.click();
  await expect(ada.cancel).toBeVisible();
  await expect(ada.page.getByText(/^waiting ([2-9]|\d{2,}) s$/)).toBeVisible();
  await ada.page.reload();
  await expect(ada.cancel).toBeVisible();
  const isOlderThanPage = (subtitle: Element) => Number(/\d+/.exec(subtitle.textContent)) * 1_000 > performance.now();
  await expect.poll(() => ada.page.getByText(/^waiting \d+ s$/).evaluate(isOlderThanPage)).toBe(true);
  await ben.start();
  await Promise.all([ada.isTalking(), ben.isTalking()]);
});

/** Presses a button that leaves the conversation, and reloads at the same moment. */
async function pressAndReload(visitor: VisitorPage, name: string): Promise<void> {
  const loaded = visitor.page.waitForEvent('load');
  await visitor.page.evaluate((label) => {
    const root = document.querySelector('passerby-chat')!.shadowRoot!;
    const button = [...root.querySelectorAll('button')].find(
      ({ ariaLabel, textContent }) => ariaLabel === label || textContent.trim() === label,
    )!;
    setTimeout(() => (button.click(), location.reload()));
  }, name);
  await loaded;
}

test('leaving right before a reload is final', async ({ pair: [ada, ben] }) => {
  await ada.say('bye');
  await expect(ben.line('bye')).toBeVisible();
  await ada.more.click();
  await pressAndReload(ada, 'Leave');
  await expect(ben.findAnother).toBeVisible();
  // Emptied once the service has confirmed that she left, after which nothing could bring her back.
  await expect.poll(() => ada.stored()).toEqual({});
  await ada.rest();
  await expect(ada.message).toBeHidden();
  await expect(ada.cancel).toBeHidden();
  await ada.open();
  await expect(ada.find).toBeVisible();
});

test('leaving without a connection is sent by the next page', async ({ pair: [ada, ben] }) => {
  await ada.context.setOffline(true);
  await ada.stop();
  await expect(ada.find).toBeVisible();
  await Promise.all([ada.context.setOffline(false), ada.page.reload()]);
  await expect(ben.findAnother).toBeVisible();
  await expect.poll(() => ada.stored()).toEqual({});
  await ada.open();
  await expect(ada.find).toBeVisible();
});

test('a skip right before a reload searches after it', async ({ pair: [ada, ben], arrive }) => {
  await ada.say('bye');
  await expect(ben.line('bye')).toBeVisible();
  await ada.passFirstMoment();
  await pressAndReload(ada, 'Next stranger');
  await expect(ada.cancel).toBeVisible();
  await expect(ben.findAnother).toBeVisible();
  const cleo = await arrive();
  await cleo.start();
  await ada.isTalking();
  await expect(ada.line('bye')).toBeHidden();
  await cleo.say('hello from Cleo');
  await expect(ada.line('hello from Cleo')).toBeVisible();
});

test('a page that slept comes back by itself with the messages sent meanwhile', async ({ pair: [ada, ben] }) => {
  await ada.page.evaluate(() => {
    const { dataset } = document.documentElement;
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      dataset['sleptMs'] = String(Math.max(now - last, Number(dataset['sleptMs'] ?? 0)));
      last = now;
    }, 100);
  });
  await ben.page.evaluate(() => {
    const { dataset } = document.documentElement;
    dataset['ticks'] = '0';
    setInterval(() => (dataset['ticks'] = String(Number(dataset['ticks']) + 1)), 100);
  });
  const hisTicks = async () => Number(await ben.page.locator('html').getAttribute('data-ticks'));
  // Freezing a page does nothing to one that is in front; a debugger that holds it does.
  const devtools = await ada.context.newCDPSession(ada.page);
  await devtools.send('Debugger.enable');
  await devtools.send('Debugger.pause');
  await ada.context.setOffline(true);
  await ben.sayFast(numbered('ben', 20));
  // His page goes on while hers stands still.
  const since = await hisTicks();
  await expect.poll(hisTicks).toBeGreaterThan(since + 25);
  await ada.context.setOffline(false);
  await devtools.send('Debugger.resume');
  await devtools.send('Debugger.disable');

  await expect(ada.line('ben 20')).toBeVisible();
  await ada.say('awake');
  await hasAll(ada, ['awake'], numbered('ben', 20));
  await hasAll(ben, numbered('ben', 20), ['awake']);
  expect(Number(await ada.page.locator('html').getAttribute('data-slept-ms'))).toBeGreaterThan(2_000);
});

test('a temporary loss of the network loses nothing', async ({ pair: [ada, ben] }) => {
  await ada.context.setOffline(true);
  await ada.sayFast(numbered('ada', 20));
  await ben.sayFast(numbered('ben', 20));
  await expect(ben.page.getByText('away for a moment')).toBeVisible();
  await expect(ada.connectionLost).toBeVisible();
  expect((await ben.said()).theirs).toEqual([]);
  expect((await ada.said()).theirs).toEqual([]);
  await ada.context.setOffline(false);
  await hasAll(ada, numbered('ada', 20), numbered('ben', 20));
  await hasAll(ben, numbered('ben', 20), numbered('ada', 20));
});

test('both visitors of the demo page continue after a reload of it', async ({ browser, service }) => {
  const page = await browser.newPage();
  await page.goto(`${service.url.replace('127.0.0.1', 'localhost')}/talk`);
  const [one, other] = [page.frameLocator('iframe').first(), page.frameLocator('iframe').last()];
  const message = { name: 'Message' };
  await one.getByRole('button', { name: 'Find someone' }).click();
  await other.getByRole('button', { name: 'Find someone' }).click();
  await one.getByRole('textbox', message).fill('hello, me');
  await one.getByRole('button', { name: 'Send' }).click();
  await expect(other.getByRole('log').getByText('hello, me')).toBeVisible();
  await page.reload();
  await other.getByRole('textbox', message).fill('hello, you');
  await other.getByRole('button', { name: 'Send' }).click();
  await expect(one.getByRole('log').getByText('hello, you')).toBeVisible();
  await expect(one.getByRole('log').getByText('hello, me')).toBeVisible();
  await expect(other.getByRole('log').getByText('hello, me')).toBeVisible();
  await page.close();
});
