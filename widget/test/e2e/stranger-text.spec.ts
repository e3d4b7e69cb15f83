import { expect, test } from '@playwright/test';
import { findLinks } from '../../src/links/find-links.ts';
import { sanitizeText } from '../../src/conversation/sanitize-text.ts';
import { API, WidgetStage } from './simulated-chat-page.ts';
import { rest } from './visitor-page.ts';
import { VECTORS } from './vectors.ts';

const text = (index: number): string => VECTORS[index]!;
const messages = VECTORS.flatMap((_, index) => [
  { from: 'peer', id: `p${index}`, text: text(index), at: 0 } as const,
  { from: 'me', id: `m${index}`, text: text(index), at: 0, status: 'delivered' } as const,
]);

for (const hasLinks of [true, false]) {
  test(`S9 S10 whatever a stranger writes stays text, with links ${hasLinks ? 'on' : 'off'}`, async ({ page }) => {
    const stage = await new WidgetStage(page).open();
    const { POLICY } = await import('./simulated-chat-page.ts');
    await stage.show({
      policy: { ...POLICY, hasLinks },
      state: {
        status: 'chatting',
        conversationId: 'c_1' as never,
        shared: { interests: [], isSameTopic: false },
        peer: { presence: 'here', isTyping: false },
        messages,
      },
    });
    const bubbles = page.locator('.bubble');
    await expect(bubbles).toHaveCount(messages.length);
    await rest(page, `${API}/widget.js`);

    const found = await bubbles.evaluateAll((elements) =>
      elements.map((bubble) => ({
        text: bubble.textContent,
        tags: [...bubble.querySelectorAll('*')].map(({ tagName }) => tagName),
        hrefs: [...bubble.querySelectorAll('a')].map(({ href }) => href),
        attributes: [...bubble.querySelectorAll('*')].flatMap((element) => element.getAttributeNames()),
      })),
    );
    const known = ['href', 'target', 'rel', 'dir', 'class'];
    for (const [index, { text: shown, tags, hrefs, attributes }] of found.entries()) {
      const said = sanitizeText(text(Math.floor(index / 2)));
      const expected = hasLinks
        ? findLinks(said)
            .map((piece) => piece.text)
            .join('')
        : said;
      expect(shown).toBe(expected);
      expect(tags.filter((tag) => tag !== 'A' || !hasLinks)).toEqual([]);
      expect(hrefs.filter((href) => !href.startsWith('https://'))).toEqual([]);
      expect(attributes.filter((name) => !known.includes(name))).toEqual([]);
    }
    expect(stage.violations).toEqual([]);
    expect(stage.dialogs).toEqual([]);
    expect(await page.evaluate(() => 'owned' in globalThis)).toBe(false);
    expect(stage.requests.filter((url) => !url.startsWith('https://page.test/') && !url.startsWith(`${API}/`))).toEqual(
      [],
    );
  });
}

test('there are vectors of every family', () => {
  expect(new Set(VECTORS).size).toBeGreaterThanOrEqual(60);
});
