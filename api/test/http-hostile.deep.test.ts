import { expect, test } from 'vitest';
import { head } from './bounds/raw-connection.ts';
import { assertTalking, listLog, pairOf, startTestApp, until } from './harness.ts';
import { descriptorCount, inCrowds, sendAndGo } from './http-hostile.ts';
import { heapInUse } from './leaks/heap.ts';

const COUNT = 20_000;
/** Maximum growth of the heap, as a share: code compiled on the way, and nothing for each connection. */
const HEAP_GROWTH_MAX = 0.05;

const DOWNLOAD = head('GET /passerby-chat.js', []);
const UPGRADE = head('GET /elsewhere', ['Connection: Upgrade', 'Upgrade: websocket']);
const HANDSHAKE = head('GET /socket.io/?EIO=4&transport=websocket&site=pk_test_nobody', [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]);

test.each([
  ['aborted downloads', [DOWNLOAD]],
  ['reset upgrades', [UPGRADE, HANDSHAKE]],
])(`S24 ${COUNT} %s leak no descriptor and no memory, and affect nobody`, async (_, requests) => {
  const log = listLog();
  await using app = await startTestApp({ config: { METRICS_PORT: 0 }, log });
  await using pair = await pairOf(app);
  const ports = [app.url, app.metricsUrl!].map((url) => Number(new URL(url).port));
  const run = (count: number) =>
    inCrowds(count, (n) =>
      sendAndGo(
        ports[n % 4 === 3 ? 1 : 0]!,
        requests[n % requests.length]!,
        n % 3 === 0 ? 'reset while read' : 'reset',
      ),
    );
  const returned = (before: number) => until(() => descriptorCount() <= before, 'every descriptor is closed again');

  const descriptors = descriptorCount();
  // The code has run before, and is compiled.
  await run(COUNT / 10);
  await returned(descriptors);
  const heap = await heapInUse();
  await run(COUNT);
  await returned(descriptors);
  await assertTalking(pair, 1);
  const after = await heapInUse();
  console.info(`${COUNT}: descriptors ${descriptors} → ${descriptorCount()}, heap ${heap} → ${after} bytes`);
  expect(after).toBeLessThan(heap * (1 + HEAP_GROWTH_MAX));
  expect(log.lines).toEqual([]);
});
