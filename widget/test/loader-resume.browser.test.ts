import { expect, it, onTestFinished } from 'vitest';
import { page, userEvent } from 'vitest/browser';

async function runTag(data: Record<string, string>) {
  const script = document.createElement('script');
  script.src = '/widget.js';
  Object.assign(script.dataset, data);
  document.head.append(script);
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = reject;
  });
  onTestFinished(() => {
    window.passerbyChat?.remove();
    delete window.passerbyChat;
  });
}

const isFetched = () => performance.getEntriesByName(new URL('/passerby-chat.js', location.href).href).length > 0;

it('loads the rest at once if the previous page left state of the same site and scope', async () => {
  // The tests run in a frame.
  sessionStorage.setItem('passerby:pk_test_test:two@frame', '{}');
  onTestFinished(() => sessionStorage.clear());
  // The pointer may stand where the launcher will be, which fetches the rest as well.
  const elsewhere = document.createElement('p');
  document.body.append(elsewhere);
  elsewhere.textContent = 'elsewhere';
  await userEvent.hover(elsewhere);
  elsewhere.remove();
  await runTag({ site: 'pk_test_test' });
  await expect.element(page.getByRole('button')).toBeVisible();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(isFetched()).toBe(false);
  window.passerbyChat!.remove();
  delete window.passerbyChat;
  await runTag({ site: 'pk_test_test', scope: 'two' });
  await expect.poll(isFetched).toBe(true);
});
