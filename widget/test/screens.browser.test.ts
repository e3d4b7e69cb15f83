import { ChatError, END_REASONS } from '@passerby/sdk';
import axe from 'axe-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { chatting, ended, type FakeChat, mine, POLICY, theirs } from './fake-chat.ts';
import { openWidget } from './open-widget.ts';

const messages = [
  theirs('hey! did you get to the part about the bassist?'),
  mine('just now'),
  mine('same one?', 'sending'),
];
const shared = { interests: ['jazz'], isSameTopic: true };
const RULES = { version: '1', text: 'Be kind.\n\nNo adverts.' };
const reconnecting = { status: 'reconnecting', attempt: 1, retryAt: 0 } as const;

const SCREENS: Readonly<Record<string, (chat: FakeChat) => void>> = {
  start: () => undefined,
  waiting: (chat) => chat.show({ state: { status: 'waiting', since: Date.now(), progress: null } }),
  conversation: (chat) =>
    chat.show({ state: chatting({ shared, messages, peer: { presence: 'here', isTyping: true } }) }),
  'connection lost': (chat) => chat.show({ connection: reconnecting, state: chatting({ shared, messages }) }),
  ended: (chat) => chat.show({ state: ended({ shared, messages: [mine('are you', 'undelivered')] }) }),
  elsewhere: (chat) => chat.show({ state: { status: 'elsewhere' } }),
  gate: (chat) => chat.show({ policy: { ...POLICY, rules: RULES, ageBands: ['under 18', '18 and over'] } }),
  throttled: (chat) => {
    chat.show({ state: chatting({ shared, messages }) });
    chat.refusals.set('send', new ChatError('rate_limited', { retryAfterMs: 30_000 }));
  },
  banned: (chat) =>
    chat.show({ state: { status: 'refused', error: new ChatError('banned', { retryAfterMs: 7_200_000 }) } }),
  refused: (chat) => chat.show({ state: { status: 'refused', error: new ChatError('unavailable') } }),
  closed: (chat) => chat.show({ state: { status: 'closed' } }),
};

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** Sheets over a screen, opened by a control in it. */
const OVER: Readonly<Record<string, { prepare: (chat: FakeChat) => void; open: () => Promise<void>; shows: string }>> =
  {
    report: {
      prepare: (chat) =>
        chat.show({ policy: { ...POLICY, history: 'reports' }, state: chatting({ shared, messages }) }),
      open: async () => {
        await page.getByRole('button', { name: 'More' }).click();
        await page.getByRole('button', { name: 'Report this person' }).click();
      },
      shows: 'Report this person',
    },
    'a warning before a link': {
      prepare: (chat) =>
        chat.show({
          policy: { ...POLICY, hasLinks: true },
          state: chatting({ shared, messages: [theirs('look: https://example.org/x')] }),
        }),
      open: () => page.getByRole('link').click(),
      shows: 'This link leads away from here',
    },
  };

const settled = async (panel: HTMLElement) => {
  // The transition of the panel begins with the next frame.
  await frame().then(frame);
  await Promise.allSettled(
    panel
      .getAnimations({ subtree: true })
      .map(({ finished, playState, effect }) =>
        playState === 'running' && effect?.getComputedTiming().iterations !== Infinity ? finished : null,
      ),
  );
};
const complaints = async (element: HTMLElement) => {
  const { violations } = await axe.run(element, { rules: { region: { enabled: false } } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
};
/** Landmarks of a page, to which the chat in it must not add. */
const LANDMARKS = ['header', 'main', 'footer'];

/** Returns the controls whose press target is too small: of a choice, its whole row is the target. */
const tooSmall = (element: HTMLElement) =>
  [...element.shadowRoot!.querySelectorAll<HTMLElement>('button, textarea, input')]
    .map((control) => control.closest<HTMLElement>('.choice') ?? control)
    .filter(({ offsetWidth, offsetHeight }) => offsetWidth < 44 || offsetHeight < 44)
    .map(({ outerHTML }) => outerHTML);

describe.each(Object.keys(OVER))('over the screen: %s', (name) => {
  const { prepare, open, shows } = OVER[name]!;

  it.each(['light', 'dark'])('has nothing axe objects to, in the %s theme', async (theme) => {
    const { element, find } = openWidget({ theme }, prepare);
    await open();
    await expect.element(page.getByRole('heading', { name: shows })).toBeVisible();
    await settled(find('.panel'));
    expect(await complaints(element)).toEqual([]);
  });

  it('has touch targets of sufficient size, and one primary action', async () => {
    const { element, find } = openWidget({ inline: '' }, prepare);
    await open();
    await expect.element(page.getByRole('heading', { name: shows })).toBeVisible();
    expect(tooSmall(element)).toEqual([]);
    expect(find('.over').querySelectorAll('.primary')).toHaveLength(1);
  });
});

describe.each(Object.keys(SCREENS))('the screen: %s', (screen) => {
  it.each(['light', 'dark'])('has nothing axe objects to, in the %s theme', async (theme) => {
    const { element, find } = openWidget({ theme }, SCREENS[screen]);
    await expect.element(page.getByRole('dialog')).toBeVisible();
    await settled(find('.panel'));
    expect(await complaints(element)).toEqual([]);
  });

  it('adds no landmark to those of the page', async () => {
    const parts = LANDMARKS.map((name) => document.createElement(name));
    document.body.append(...parts);
    onTestFinished(() => {
      for (const part of parts) part.remove();
    });
    openWidget({}, SCREENS[screen]);
    await expect.element(page.getByRole('dialog')).toBeVisible();
    for (const role of ['banner', 'main', 'contentinfo'] as const)
      expect(page.getByRole(role).elements(), role).toHaveLength(1);
  });

  it('has at most one primary action', () => {
    const { element } = openWidget({}, SCREENS[screen]);
    expect(element.shadowRoot!.querySelectorAll('.primary').length).toBeLessThanOrEqual(1);
  });

  it('has touch targets of sufficient size', async () => {
    const { element } = openWidget({ inline: '' }, SCREENS[screen]);
    await expect.element(page.getByRole('dialog')).toBeVisible();
    expect(tooSmall(element)).toEqual([]);
  });
});

it('has nothing axe objects to in the menu of a conversation', async () => {
  const { element, find } = openWidget({}, (chat) => chat.show({ state: chatting() }));
  await page.getByRole('button', { name: 'More' }).click();
  await settled(find('.panel'));
  expect(await complaints(element)).toEqual([]);
});

/** Smallest phone in landscape, and a window at 400 % zoom. */
describe.each([
  [568, 320],
  [320, 256],
])('in a window of %i by %i', (width, height) => {
  const MANY = Array.from({ length: 40 }, (_, index) => `interest ${index}`);

  it('separates the interests from the button below them', async () => {
    await page.viewport(width, height);
    onTestFinished(() => page.viewport(1280, 800));
    const { find } = openWidget({}, SCREENS['start']);
    await expect.element(page.getByRole('dialog')).toBeVisible();
    await settled(find('.panel'));
    const { bottom } = find('.words:has(h2)').getBoundingClientRect();
    expect(find('.primary').getBoundingClientRect().top - bottom).toBeGreaterThanOrEqual(8);
  });

  it.each(Object.keys(SCREENS))('everything of the screen can be reached: %s', async (screen) => {
    await page.viewport(width, height);
    onTestFinished(() => page.viewport(1280, 800));
    const { element, find } = openWidget({}, (chat) => {
      chat.show({ policy: { ...POLICY, interests: MANY } });
      SCREENS[screen]!(chat);
    });
    await expect.element(page.getByRole('dialog')).toBeVisible();
    await settled(find('.panel'));
    for (const control of element.shadowRoot!.querySelectorAll<HTMLElement>('button, textarea, input')) {
      if (control.closest('.launcher')) continue;
      control.scrollIntoView({ block: 'nearest' });
      const { left, top, right, bottom } = control.getBoundingClientRect();
      // Scrolling goes by whole pixels.
      const isWithin = left > -1 && top > -1 && right < width + 1 && bottom < height + 1;
      const hit = element.shadowRoot!.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      const line = control.closest('.choice') ?? control;
      const isHit = hit !== null && (line.contains(hit) || hit.contains(line));
      expect({ isWithin, isHit }, control.textContent ?? '').toEqual({ isWithin: true, isHit: true });
    }
    for (const part of element.shadowRoot!.querySelectorAll('.panel, .screen, .scroller, .card'))
      expect(part.scrollWidth).toBeLessThanOrEqual(part.clientWidth);
  });
});

it.each(END_REASONS)('shows why a conversation ended: %s', async (reason) => {
  openWidget({}, (chat) => chat.show({ state: ended({ reason, messages: [mine('was it', 'undelivered')] }) }));
  await expect.element(page.getByRole('heading')).not.toBeEmptyDOMElement();
  await expect.element(page.getByRole('button', { name: 'Find someone else' })).toBeVisible();
  await expect.element(page.getByText('not delivered')).toBeVisible();
});

it('offers a retry only if it can help', async () => {
  const { chat } = openWidget({}, SCREENS['refused']);
  await page.getByRole('button', { name: 'Try again' }).click();
  expect(chat.calls.at(-1)![0]).toBe('find');
  chat.show({ state: { status: 'refused', error: new ChatError('client_too_old') } });
  await expect.element(page.getByRole('button', { name: 'Try again' })).not.toBeInTheDocument();
});

it('shows that another tab has the chat, and takes it over on demand', async () => {
  const { chat } = openWidget({}, SCREENS['elsewhere']);
  await expect.element(page.getByText('in another tab', { exact: true })).toBeVisible();
  await expect.element(page.getByRole('heading', { name: 'This chat is open in another tab.' })).toBeVisible();
  await page.getByRole('button', { name: 'Use it here' }).click();
  expect(chat.calls.at(-1)).toEqual(['takeOver']);
});

it('connects for the start screen once the other tab is done', async () => {
  const { chat } = openWidget({}, SCREENS['elsewhere']);
  expect(chat.calls).toEqual([['connect']]);
  chat.show({ state: { status: 'idle' } });
  await expect.element(page.getByRole('button', { name: 'Find someone' })).toBeVisible();
  expect(chat.calls).toEqual([['connect'], ['connect']]);
});

it('shows it once if a search reveals it', async () => {
  openWidget({}, (chat) => {
    chat.find = async () => {
      chat.show({ state: { status: 'elsewhere' } });
      throw new ChatError('open_elsewhere');
    };
  });
  await page.getByRole('button', { name: 'Find someone' }).click();
  const words = page.getByText(/^This chat is open in another tab/);
  await expect.element(words.first()).toBeVisible();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(words.elements()).toHaveLength(1);
});

it('moves the focus to the heading, not to the button, when another tab takes the chat during typing', async () => {
  const { chat, element } = openWidget({}, SCREENS['conversation']);
  await page.getByRole('textbox', { name: 'Message' }).fill('half a sen');
  chat.show({ state: { status: 'elsewhere' } });
  await expect.poll(() => element.shadowRoot!.activeElement?.textContent).toBe('This chat is open in another tab.');
  await userEvent.keyboard('{Enter}');
  expect(chat.calls.some(([name]) => name === 'takeOver')).toBe(false);
});

it('logs for the site owner, not for the visitor, which origin to allow', async () => {
  const { chat } = openWidget();
  const said: unknown[] = [];
  const warn = console.warn;
  console.warn = (text: unknown) => said.push(text);
  const error = new ChatError('origin_refused');
  // Whoever waits for the connection is told by its rejection: nothing is emitted then.
  chat.show({ state: { status: 'refused', error } });
  chat.show({ state: { status: 'refused', error } });
  console.warn = warn;
  expect(said).toEqual([expect.stringContaining(`add ${location.origin} to the origins`)]);
  expect(said).toEqual([expect.stringContaining('On localhost only a test key is valid.')]);
  await expect.element(page.getByText('This chat is not available here.')).toBeVisible();
});

it('shows a refused search with its delay, and stays on the screen', async () => {
  openWidget({}, (chat) => chat.refusals.set('find', new ChatError('rate_limited', { retryAfterMs: 9_000 })));
  await page.getByRole('button', { name: 'Find someone' }).click();
  await expect.element(page.getByText(/^A little slower, please/)).toBeVisible();
  await expect.element(page.getByText(/Try again in [89] s/)).toBeVisible();
  await expect.element(page.getByRole('button', { name: 'Find someone' })).toBeVisible();
});

it('shows the criteria: the chosen interests, the page, the languages', async () => {
  const { chat } = openWidget({ topic: '/story' });
  await page.getByRole('button', { name: 'jazz' }).click();
  await page.getByRole('button', { name: '+ add' }).click();
  await page.getByRole('textbox', { name: 'Your interest' }).fill('  Night  Trains ');
  await page.getByRole('button', { name: 'cooking' }).click();
  await page.getByRole('button', { name: 'cooking' }).click();
  await page.getByRole('button', { name: 'Find someone' }).click();
  const languages = [navigator.language.split('-')[0]];
  expect(chat.calls.at(-1)).toEqual(['find', { interests: ['jazz', 'night trains'], topic: '/story', languages }]);
  await page.getByRole('button', { name: 'this page' }).click();
  await page.getByRole('button', { name: 'Find someone' }).click();
  expect(chat.calls.at(-1)).toEqual(['find', { interests: ['jazz', 'night trains'], languages }]);
});

it('counts the seconds of a wait, and admits when it is long', async () => {
  const { chat } = openWidget({}, (fake) =>
    fake.show({ state: { status: 'waiting', since: Date.now() - 4_000, progress: null } }),
  );
  await expect.element(page.getByText('waiting 4 s')).toBeVisible();
  await expect.element(page.getByText('waiting 5 s')).toBeVisible();
  chat.show({ state: { status: 'waiting', since: Date.now() - 60_000, progress: null } });
  await expect.element(page.getByText(/Nobody is free right now/)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  expect(chat.calls.at(-1)).toEqual(['cancel']);
});
