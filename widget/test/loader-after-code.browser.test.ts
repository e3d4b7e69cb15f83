import { expect, it } from 'vitest';

// The code, as it is built, before the tag.
await import('../dist/passerby-chat.js' as string);

it.each(['remove', 'destroy'])('a tag that runs after the code was loaded leaves nothing after %s', async (way) => {
  const script = Object.assign(document.createElement('script'), { src: '/widget.js' });
  script.dataset['site'] = 'pk_test_test';
  const loaded = new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
  document.head.append(script);
  await loaded;
  const chat = window.passerbyChat as HTMLElement & Record<string, () => void>;
  expect(chat.shadowRoot!.querySelector('.launcher')).not.toBeNull();
  chat[way]!();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(chat.isConnected).toBe(false);
  expect(window.passerbyChat).toBeUndefined();
  script.remove();
});
