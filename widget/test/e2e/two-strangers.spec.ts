import { expect, test } from './fixtures.ts';

for (const path of ['/', '/strict'] as const) {
  test(`two strangers meet on a page, talk, skip and stop (${path})`, async ({ arrive, service }) => {
    const [ada, ben] = [await arrive({ path }), await arrive({ path })];

    await ada.start();
    await expect(ada.cancel).toBeVisible();
    await ben.start();
    await ada.isTalking();
    await ben.isTalking();

    await test.step('messages go both ways, in order, once', async () => {
      for (const text of ['one', 'two', 'three']) await ada.say(text);
      await expect(ben.line('three')).toBeVisible();
      await ben.say('four');
      await expect(ada.line('four')).toBeVisible();
      for (const visitor of [ada, ben]) {
        const all = await visitor.log.innerText();
        const said = all.match(/\b(one|two|three|four)\b/g);
        expect(said).toEqual(['one', 'two', 'three', 'four']);
      }
    });

    await test.step('typing appears and goes', async () => {
      // Long enough for the next sign of typing: there is one every two seconds at most.
      await ada.message.pressSequentially('what was it called', { delay: 150 });
      await expect(ben.typing).toBeVisible();
      await ada.message.fill('');
      await expect(ben.typing).toBeHidden();
    });

    await test.step('a skip queues the one again and tells the other', async () => {
      await ada.skip();
      await expect(ada.cancel).toBeVisible();
      await expect(ben.findAnother).toBeVisible();
      await expect(ben.message).toBeHidden();
      const cleo = await arrive({ path });
      await cleo.start();
      await ada.isTalking();
      await expect(ada.line('four')).toBeHidden();
      await cleo.say('hello from Cleo');
      await expect(ada.line('hello from Cleo')).toBeVisible();
      await expect(ben.page.getByText('hello from Cleo')).toHaveCount(0);
      expect(cleo.violations).toEqual([]);
    });

    await test.step('stop goes back to the start', async () => {
      await ada.stop();
      await expect(ada.find).toBeVisible();
    });

    for (const { violations, complaints, requests } of [ada, ben]) {
      expect(violations).toEqual([]);
      expect(complaints).toEqual([]);
      expect(requests.some((url) => url.startsWith(service.url.replace(/^http/, 'ws')))).toBe(true);
    }
  });
}

test('a visitor who cancels the wait is not matched', async ({ arrive }) => {
  const [ada, ben] = [await arrive(), await arrive()];
  await ada.start();
  await ada.cancel.click();
  await expect(ada.find).toBeVisible();
  await ben.start();
  await expect(ben.cancel).toBeVisible();
  await expect(ben.page.getByText('Looking in this part of the site')).toBeVisible();
  await expect(ben.cancel).toBeVisible();
  await expect(ada.find).toBeVisible();
});

test('the visitor who stayed can find someone else', async ({ pair: [ada, ben] }) => {
  await ada.skip();
  await ben.findAnother.click();
  await ben.isTalking();
  await ada.isTalking();
});

test('two visitors on different pages are matched once the reach has widened, which is shown', async ({ arrive }) => {
  const [ada, ben] = [await arrive(), await arrive({ path: '/strict' })];
  await ada.start();
  await expect(ada.page.getByText('Looking for someone on this page')).toBeVisible();
  await ben.start();
  await expect(ben.cancel).toBeVisible();
  await expect(ada.page.getByText('Looking in this part of the site')).toBeVisible();
  await Promise.all([ada.isTalking(), ben.isTalking()]);
  await expect(ada.page.getByText('You are talking to a stranger. Say hello.').first()).toBeVisible();
});
