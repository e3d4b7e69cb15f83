import { execFile } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startService } from '../../.config/test/service.ts';

const script = path.join(import.meta.dirname, 'main.js');

/** Runs the script from the sources of the SDK, so that nothing has to be built first. */
function run(url: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--conditions=passerby-source', script, url], (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr });
    });
  });
}

test('two strangers meet, talk and part', async () => {
  await using service = await startService(
    [{ key: 'pk_test_demo', name: 'Demo', origins: ['http://localhost'], interests: [], isFreeInterests: true }],
    'source',
  );
  const { code, output } = await run(service.url);
  expect(output).toContain('They share: trains');
  expect(output).toContain('me: Hello, whoever you are. (delivered)');
  expect(output).toContain('stranger: Hello! I am glad you asked.');
  expect(output).toContain('Ada left, Ben was told: peer_left');
  expect(code).toBe(0);
});

test('reports the reason, and fails, when the service refuses them', async () => {
  await using service = await startService(
    [{ key: 'pk_test_demo', name: 'Demo', origins: ['https://elsewhere.example'] }],
    'source',
  );
  const { code, output } = await run(service.url);
  expect(output).toMatch(/^Two strangers did not meet: .*origin/m);
  expect(code).toBe(1);
});
