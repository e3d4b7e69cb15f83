import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { expect, test } from 'vitest';
import { listLog } from '../../test/harness.ts';
import { RateLimiter } from '../rate-limiting/rate-limiter.ts';
import { Metrics } from '../observability/metrics.ts';
import type { AddressHashes } from '../domain/ids.ts';
import { errorMiddleware } from './error-middleware.ts';
import { rateLimited } from './rate-limited.ts';

async function startLimited() {
  const limiter = new RateLimiter({
    factor: 1,
    redis: null,
    clock: Date.now,
    metrics: new Metrics(),
  });
  const app = new Koa();
  app.use(errorMiddleware(listLog(), new Metrics()));
  app.use(
    rateLimited('failed_tokens', limiter, (request) => [String(request.headers['x-from'])] as unknown as AddressHashes),
  );
  app.use((context) => void (context.body = 'here'));
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ask: (from: string) => fetch(url, { headers: { 'X-From': from } }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('every answer contains the policy and its state', async () => {
  await using service = await startLimited();
  await service.ask('a');
  const { status, headers } = await service.ask('a');
  expect(status).toBe(200);
  expect(headers.get('RateLimit-Policy')).toBe('"failed_tokens";q=10;w=60');
  expect(headers.get('RateLimit')).toMatch(/^"failed_tokens";r=8;t=(60|59)$/);
});

test('a used-up quota is answered with a problem and a delay; others are unaffected', async () => {
  await using service = await startLimited();
  for (let count = 0; count < 10; count++) expect((await service.ask('a')).status).toBe(200);
  const refused = await service.ask('a');
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ code: 'rate_limited', status: 429 });
  const seconds = refused.headers.get('Retry-After');
  expect(Number(seconds)).toBeGreaterThan(0);
  expect(refused.headers.get('RateLimit')).toBe(`"failed_tokens";r=0;t=${seconds}`);
  expect((await service.ask('b')).status).toBe(200);
});
