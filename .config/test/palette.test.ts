import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TOKENS } from '../../widget/src/theme/tokens.ts';

it('the icon that the service serves has the colours of the widget', () => {
  const icon = readFileSync(new URL('../../api/public/icon.svg', import.meta.url), 'utf8');
  const fills = [...icon.matchAll(/fill="([^"]*)"/g)].map(([, fill]) => fill);
  const { you, them, meet } = TOKENS.light;
  expect(fills).toEqual([you, them, meet]);
});
