import { expect, test } from './fixtures.ts';
import { VisitorPage } from './visitor-page.ts';

test('a second tab shows that the chat is elsewhere, and takes it over on demand', async ({ pair: [ada, ben] }) => {
  await ada.say('hello');
  await ben.say('hello yourself');
  await expect(ada.line('hello yourself')).toBeVisible();
  const second = await ada.openTab();
  await second.open();
  await expect(second.elsewhere).toBeVisible();
  await expect(second.find).toBeHidden();

  await test.step('the conversation is in the second tab, with all that was said', async () => {
    await second.useHere.click();
    await second.isTalking();
    expect(await second.said()).toEqual({ mine: ['hello'], theirs: ['hello yourself'] });
    await expect(ada.elsewhere).toBeVisible();
    await expect(ada.message).toBeHidden();
    await second.say('from the other tab');
    await expect(ben.line('from the other tab')).toBeVisible();
    await ben.say('so I see');
    await expect(second.line('so I see')).toBeVisible();
  });

  await test.step('and back', async () => {
    await ada.useHere.click();
    await expect(ada.line('so I see')).toBeVisible();
    await expect(second.elsewhere).toBeVisible();
    await ada.say('back again');
    await expect(ben.line('back again')).toBeVisible();
    expect(await ben.said()).toEqual({
      mine: ['hello yourself', 'so I see'],
      theirs: ['hello', 'from the other tab', 'back again'],
    });
  });
  for (const { complaints } of [ada, second, ben]) expect(complaints).toEqual([]);
});

test('a wait is taken over too, and matched in the new tab', async ({ arrive }) => {
  const [ada, ben] = [await arrive(), await arrive()];
  await ada.start();
  await expect(ada.cancel).toBeVisible();
  const second = await ada.openTab();
  await second.open();
  await second.useHere.click();
  await expect(second.cancel).toBeVisible();
  await expect(ada.elsewhere).toBeVisible();
  await ben.start();
  await second.isTalking();
  await expect(ada.elsewhere).toBeVisible();
});

test('a tab can use the chat once the other one has finished, or is closed', async ({ pair: [ada, ben] }) => {
  const second = await ada.openTab();
  await second.open();
  await expect(second.elsewhere).toBeVisible();

  await test.step('done', async () => {
    await ada.stop();
    await expect(second.find).toBeVisible();
    await expect(second.page.getByRole('button', { name: 'jazz' })).toBeVisible();
  });

  await test.step('closed', async () => {
    await second.find.click();
    await expect(second.cancel).toBeVisible();
    await ada.find.click();
    await expect(ada.elsewhere).toBeVisible();
    await second.page.close();
    await expect(ada.find).toBeVisible();
    await ada.find.click();
    await ben.findAnother.click();
    await Promise.all([ada.isTalking(), ben.isTalking()]);
  });
});

test('a duplicated tab does not take over the conversation by itself', async ({ pair: [ada, ben] }) => {
  await ada.say('hello');
  await expect(ben.line('hello')).toBeVisible();
  const copying = ada.context.waitForEvent('page');
  await ada.page.evaluate(() => void window.open(location.href));
  const copy = new VisitorPage(await copying);
  // What the tab stored was copied too, so it knows of the conversation, and that its panel stood open.
  await expect(copy.elsewhere).toBeVisible();
  await ada.say('still here');
  await expect(ben.line('still here')).toBeVisible();
  await copy.page.reload();
  await expect(ada.message).toBeVisible();
  await ben.say('so am I');
  await expect(ada.line('so am I')).toBeVisible();
});
