import { expect, test } from 'vitest';
import { revokeElsewhere } from './revoke-elsewhere.ts';

test('a key revoked on one process is refused on another, and its sockets there are closed with the reason', async () => {
  expect(await revokeElsewhere()).toBeGreaterThan(0);
});
