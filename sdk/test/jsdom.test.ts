// @vitest-environment jsdom
import { createChat } from '../src/index.ts';
import { expect, test } from 'vitest';

// Nobody listens there.
const options = { url: 'http://127.0.0.1:9', site: 'pk_test_demo', origin: 'http://localhost' };

test('in jsdom a chat can be created, searches, and is closed when close resolves', async () => {
  const chat = createChat(options);
  expect(await chat.resume()).toBe(false);
  const found = chat.find().then(
    () => 'found',
    (error: unknown) => (error as { code: string }).code,
  );
  expect(chat.snapshot().connection.status).not.toBe('offline');
  await chat.close();
  expect(await found).toBe('closed');
  expect(chat.snapshot().state.status).toBe('closed');
});
