import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from './fixtures.ts';
import type { VisitorPage } from './visitor-page.ts';

/** Rules about colours, in which alone the dark and the light theme differ. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

async function seriousViolations({ page }: VisitorPage, rules: readonly string[] | 'all'): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (rules === 'all' ? axe : axe.withRules([...rules])).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`,
    );
}

test('every screen passes axe, in light and in dark', async ({ arrive }) => {
  const [ada, ben] = [await arrive({ colorScheme: 'light' }), await arrive()];
  const passes = async (screen: string): Promise<void> => {
    await ada.settle();
    expect(await seriousViolations(ada, 'all'), `${screen}, light`).toEqual([]);
    await ada.page.emulateMedia({ colorScheme: 'dark' });
    expect(await seriousViolations(ada, OF_COLOURS), `${screen}, dark`).toEqual([]);
    await ada.page.emulateMedia({ colorScheme: 'light' });
  };
  await expect(ada.launcher).toBeVisible();
  await passes('launcher');
  await ada.open();
  await expect(ada.find).toBeVisible();
  await passes('start');
  await ada.find.click();
  await expect(ada.cancel).toBeVisible();
  await passes('waiting');
  await ben.start();
  await ada.isTalking();
  await ada.say('hello');
  await ben.say('hello yourself');
  await expect(ada.line('hello yourself')).toBeVisible();
  await passes('conversation');
  await ben.stop();
  await expect(ada.findAnother).toBeVisible();
  await passes('ended');
});

test('everything can be operated by keyboard', async ({ arrive }) => {
  const [ada, ben] = [await arrive(), await arrive()];
  const { keyboard } = ada.page;
  const tabTo = async (target: VisitorPage['find']): Promise<void> => {
    for (let presses = 0; presses < 30; presses++) {
      if (await target.evaluate((element) => element.matches(':focus'))) return;
      await keyboard.press('Tab');
    }
    throw new Error(`Tab never reached ${target}`);
  };

  await expect(ada.launcher).toBeVisible();
  await tabTo(ada.launcher);
  await keyboard.press('Enter');
  await expect(ada.find).toBeVisible();
  await tabTo(ada.find);
  await keyboard.press('Enter');
  await expect(ada.cancel).toBeVisible();
  await ben.start();
  await ada.isTalking();
  await tabTo(ada.message);
  await keyboard.type('by hand');
  await keyboard.press('Enter');
  await expect(ben.line('by hand')).toBeVisible();
  await ada.passFirstMoment();
  await tabTo(ada.next);
  await keyboard.press('Enter');
  await expect(ben.findAnother).toBeVisible();
  await expect(ada.cancel).toBeVisible();
  await tabTo(ada.cancel);
  await keyboard.press('Enter');
  await expect(ada.find).toBeVisible();
  await keyboard.press('Escape');
  await expect(ada.find).toBeHidden();
  await expect(ada.launcher).toBeVisible();
});
