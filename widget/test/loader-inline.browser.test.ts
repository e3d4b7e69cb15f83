import { expect, it, onTestFinished } from 'vitest';
import { page } from 'vitest/browser';

it('an inline tag opens by itself, without a launcher', async () => {
  const script = Object.assign(document.createElement('script'), { src: '/widget.js' });
  Object.assign(script.dataset, { site: 'pk_test_test', inline: '' });
  onTestFinished(() => {
    script.remove();
    window.passerbyChat!.remove();
  });
  document.head.append(script);
  await expect.element(page.getByRole('dialog')).toBeVisible();
  expect(window.passerbyChat!.shadowRoot!.querySelector('.launcher')).toBeNull();
});
