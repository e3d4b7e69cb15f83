import { expect, test } from './fixtures.ts';

test('going back to the previous page continues the conversation', async ({ pair: [ada, ben] }) => {
  await ada.say('one');
  await ada.turnTo('/more');
  await ada.say('two');
  await ada.page.goBack();
  await expect(ada.line('two')).toBeVisible();
  await ada.say('three');
  await expect(ben.line('three')).toBeVisible();
  await ben.say('four');
  await expect(ada.line('four')).toBeVisible();
  expect(await ada.said()).toEqual({ mine: ['one', 'two', 'three'], theirs: ['four'] });
  expect(await ben.said()).toEqual({ mine: ['four'], theirs: ['one', 'two', 'three'] });
});
