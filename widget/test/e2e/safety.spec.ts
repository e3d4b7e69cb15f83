import { connectSocket } from '../../../sdk/src/connection/socket-transport.ts';
import type { UnknownBody } from '../../../sdk/src/protocol/index.ts';
import { CAREFUL_SITE, expect, test } from './fixtures.ts';
import type { VisitorPage } from './visitor-page.ts';

test.describe('site that requires consent', () => {
  // eslint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from this pattern
  test.use({ site: async ({}, use) => use(CAREFUL_SITE) });

  const answer = async (visitor: VisitorPage, band: string): Promise<void> => {
    await visitor.open();
    await visitor.page.getByText(band, { exact: true }).click();
    await visitor.page.getByRole('button', { name: 'I agree, go on' }).click();
    await visitor.find.click();
  };

  test('pairs visitors who answered, and accepts a report with messages', async ({ arrive }) => {
    const [ada, ben] = [await arrive(), await arrive()];
    await answer(ada, '18+');
    await answer(ben, '18+');
    await ada.isTalking();
    await ben.isTalking();
    await ben.say('buy my book');
    await expect(ada.line('buy my book')).toBeVisible();
    await ada.more.click();
    await ada.page.getByRole('button', { name: 'Report this person' }).click();
    await ada.page.getByText('Adverts or fraud').click();
    await ada.page.getByText('Hand over the last messages').click();
    await ada.page.getByRole('button', { name: 'Send report' }).click();
    await expect(ada.page.getByRole('heading', { name: 'Thank you.' })).toBeVisible();
    await expect(ben.page.getByText('They went their way.')).toBeVisible();
    expect([...ada.violations, ...ben.violations]).toEqual([]);
  });

  test('never pairs two age bands', async ({ arrive }) => {
    const [ada, ben] = [await arrive(), await arrive()];
    await answer(ada, '16-17');
    await answer(ben, '18+');
    await expect(ben.cancel).toBeVisible();
    // The last step that widens a search: nobody else on the site would be out of reach.
    for (const { page } of [ada, ben]) await expect(page.getByText('Looking across the whole site')).toBeVisible();
    await expect(ada.cancel).toBeVisible();
    await expect(ben.cancel).toBeVisible();
  });
});

test('an unknown kind of body with an image is neither shown nor fetched', async ({ arrive, service, site, owner }) => {
  const ada = await arrive();
  await ada.start();
  const connect = connectSocket({ url: service.url, site: site as never, scope: '', origin: owner.origin });
  let started: (conversationId: never) => void;
  const starting = new Promise<never>((resolve) => (started = resolve));
  const connection = connect(undefined, {
    push: ({ name, payload }) => {
      if (name === 'session:ready') void connection.request('match:find', { requestId: 'r'.repeat(22) as never });
      if (name === 'conversation:started') started(payload.conversationId as never);
    },
    lost: () => undefined,
  });
  try {
    const conversationId = await starting;
    await ada.isTalking();
    const say = (seq: number, body: UnknownBody): void =>
      connection.send({ conversationId, run: 'run' as never, seq, ack: 0, body });
    say(1, { kind: 'image', url: 'https://evil.test/pixel.gif', src: 'https://evil.test/pixel.gif' });
    say(2, { kind: 'html', html: '<img src="https://evil.test/pixel.gif">' });
    say(3, { kind: 'text', text: 'after it', url: 'https://evil.test/pixel.gif' });
    await expect(ada.line('after it')).toBeVisible();
    expect((await ada.said()).theirs).toEqual(['after it']);
    expect(ada.requests.filter((url) => url.includes('evil.test'))).toEqual([]);
  } finally {
    connection.close();
  }
});
