import { describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { chatting, mine, POLICY, theirs } from './fake-chat.ts';
import { openWidget } from './open-widget.ts';

const talk = (text: string, hasLinks = true) =>
  openWidget({}, (chat) =>
    chat.show({
      policy: { ...POLICY, hasLinks },
      state: chatting({ messages: [theirs(text), mine('https://mine.example/a')] }),
    }),
  );
const link = (name: string) => page.getByRole('link', { name });
const warning = page.getByRole('heading', { name: 'This link leads away from here' });

describe('address in a message', () => {
  it('is a link on both sides if the site has links, with the shown target and no referrer', async () => {
    talk('see https://example.org/x, it is good');
    await expect.element(link('https://example.org/x')).toHaveAttribute('href', 'https://example.org/x');
    await expect.element(link('https://mine.example/a')).toHaveAttribute('rel', 'noopener noreferrer nofollow ugc');
    await expect.element(link('https://mine.example/a')).toHaveAttribute('target', '_blank');
    await expect.element(page.getByText('see https://example.org/x, it is good')).toBeVisible();
  });

  it('is plain text if the site has none', async () => {
    talk('see https://example.org/x', false);
    await expect.element(page.getByText('see https://example.org/x')).toBeVisible();
    expect(page.getByRole('link').elements()).toEqual([]);
  });

  it('shows the host that the browser would contact, not the one it resembles', async () => {
    talk('https://аpple.com/login');
    await link('https://xn--pple-43d.com/login').click();
    await expect.element(warning).toBeVisible();
    await expect.element(page.getByText('xn--pple-43d.com', { exact: true })).toBeVisible();
  });
});

describe('pressing a link', () => {
  it('shows a warning with the host first, and follows the link only from there', async () => {
    const { find } = talk('https://example.org/x');
    await link('https://example.org/x').click();
    await expect.element(warning).toBeVisible();
    await expect.element(page.getByText('example.org', { exact: true })).toBeVisible();
    const go = find<HTMLAnchorElement>('.over a');
    expect([go.href, go.target, go.rel]).toEqual([
      'https://example.org/x',
      '_blank',
      'noopener noreferrer nofollow ugc',
    ]);
    go.addEventListener('click', (event) => event.preventDefault());
    await userEvent.click(go);
    await expect.element(warning).not.toBeInTheDocument();
  });

  it('by keyboard does the same, and staying restores the focus', async () => {
    const { element } = talk('https://example.org/x');
    await expect.element(link('https://example.org/x')).toBeVisible();
    (link('https://example.org/x').element() as HTMLElement).focus();
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => element.shadowRoot!.activeElement?.textContent).toBe('This link leads away from here');
    await page.getByRole('button', { name: 'Stay here' }).click();
    await expect.element(warning).not.toBeInTheDocument();
    await expect.poll(() => element.shadowRoot!.activeElement?.textContent).toBe('https://example.org/x');
  });

  it('with the middle button does not bypass the warning', async () => {
    talk('https://example.org/x');
    await expect.element(link('https://example.org/x')).toBeVisible();
    const anchor = link('https://example.org/x').element();
    const press = new MouseEvent('auxclick', { button: 1, bubbles: true, cancelable: true, composed: true });
    anchor.dispatchEvent(press);
    expect(press.defaultPrevented).toBe(true);
    await expect.element(warning).toBeVisible();
  });

  it('opens nothing by itself', async () => {
    const open = window.open;
    let opened = 0;
    window.open = () => ((opened += 1), null);
    talk('https://example.org/x');
    await link('https://example.org/x').click();
    await expect.element(warning).toBeVisible();
    window.open = open;
    expect(opened).toBe(0);
  });
});
