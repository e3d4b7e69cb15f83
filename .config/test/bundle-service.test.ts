import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import bundleService from './bundle-service.ts';
import { SERVICE_BUNDLE } from './service-process.ts';

test('the service in one file is replaced whole, under whoever reads the former one', async () => {
  await using former = await open(SERVICE_BUNDLE);
  await bundleService();
  await using latter = await open(SERVICE_BUNDLE);
  expect((await latter.stat()).ino).not.toBe((await former.stat()).ino);
  expect(await latter.readFile('utf8')).toBe(await former.readFile('utf8'));
});
