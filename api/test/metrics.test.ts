import { get } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { siteOf, startTestApp, pairOf, Visitor, assertTalking, type TestAppParts } from './harness.ts';

const TOKEN = 'a-token-of-the-operators';
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

/** Sends a request with any Host, which `fetch` does not permit. */
function askAs(url: string, host: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    get(`${url}/metrics`, { headers: { Host: host, ...headers }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve({ status: response.statusCode!, text }));
    }).on('error', reject);
  });
}

/** Returns the samples of a page of metrics that are not zero. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('GET /metrics', () => {
  test('is disabled by default', async () => {
    await using app = await startTestApp();
    expect((await fetch(`${app.url}/metrics`)).status).toBe(404);
    expect(app.metricsUrl).toBeNull();
  });

  test('is on the main port with a token, which it requires', async () => {
    await using app = await startTestApp({ config: { METRICS_TOKEN: TOKEN } });
    for (const init of [
      {},
      bearer(''),
      bearer(`${TOKEN}x`),
      bearer(TOKEN.slice(1)),
      { headers: { Authorization: TOKEN } },
    ]) {
      const refused = await fetch(`${app.url}/metrics`, init);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(await refused.json()).toMatchObject({ code: 'unauthorized' });
    }
    const answer = await fetch(`${app.url}/metrics`, bearer(TOKEN));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(app.metricsUrl).toBeNull();
  });

  test('is only on its own port if there is one, which stops with the service', async () => {
    const app = await startTestApp({ config: { METRICS_PORT: 0 } });
    try {
      expect((await fetch(`${app.url}/metrics`)).status).toBe(404);
      expect((await fetch(`${app.metricsUrl}/metrics`)).status).toBe(200);
      expect((await fetch(`${app.metricsUrl}/widget.js`)).status).toBe(404);
      expect(new URL(app.metricsUrl!).hostname).toBe('127.0.0.1');
    } finally {
      await app.stop();
    }
    await expect(fetch(`${app.metricsUrl}/metrics`)).rejects.toThrow();
  });

  test.each([
    ['evil.example', 403],
    ['evil.example:9464', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['203.0.113.7', 403],
    ['localhost:9464', 200],
    ['LOCALHOST', 200],
    ['127.0.0.2:1', 200],
    ['[::1]:9464', 200],
  ])('on a loopback port of its own answers the Host %j with %i', async (host, status) => {
    await using app = await startTestApp({ config: { METRICS_PORT: 0 } });
    const answer = await askAs(app.metricsUrl!, host);
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.text).toContain('"code":"origin_refused"');
  });

  test('on a public port requires the token, whatever the Host', async () => {
    await using app = await startTestApp({
      config: { METRICS_PORT: 0, METRICS_HOST: '0.0.0.0', METRICS_TOKEN: TOKEN },
    });
    const url = app.metricsUrl!.replace('0.0.0.0', '127.0.0.1');
    expect((await askAs(url, 'metrics.example', { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await askAs(url, 'metrics.example')).status).toBe(401);
  });

  test('on a port of its own refuses requests of pages of other origins', async () => {
    await using app = await startTestApp({ config: { METRICS_PORT: 0 } });
    for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://evil.example' }]) {
      expect((await askAs(app.metricsUrl!, 'localhost', headers)).status).toBe(403);
    }
  });

  test('with both, requires the token on its own port too', async () => {
    await using app = await startTestApp({ config: { METRICS_PORT: 0, METRICS_TOKEN: TOKEN } });
    expect((await fetch(`${app.metricsUrl}/metrics`)).status).toBe(401);
    expect((await fetch(`${app.metricsUrl}/metrics`, bearer(TOKEN))).status).toBe(200);
  });
});

async function measured(
  use: (app: Awaited<ReturnType<typeof startTestApp>>) => Promise<void>,
  parts: TestAppParts = {},
) {
  await using app = await startTestApp(parts);
  await use(app);
  return samplesOf(await app.metrics.text());
}

describe('metrics of a service', () => {
  test('count a match, frames, and the end, without their content', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await assertTalking(pair, 1);
    pair.a.say(pair.conversationId, 2, 'canary-4711');
    await pair.b.next('conversation:frame');
    const during = samplesOf(await app.metrics.text());
    expect(during.get('passerby_sessions')).toBe(2);
    expect(during.get('passerby_conversation_sides')).toBe(2);
    expect(during.get('passerby_waiting')).toBe(0);
    expect(during.get('passerby_ready')).toBe(1);
    expect(during.get('passerby_matches_total{step="1"}')).toBe(1);
    expect(during.get('passerby_wait_seconds_count')).toBe(2);
    expect(during.get('passerby_frames_total{path="local"}')).toBe(3);
    expect(during.get('passerby_sessions_opened_total')).toBe(2);
    expect(during.get('passerby_store_seconds_count{transition="open"}')).toBe(2);

    await pair.a.ask('conversation:leave', { conversationId: pair.conversationId });
    await pair.b.next('conversation:ended');
    const text = await app.metrics.text();
    const after = samplesOf(text);
    expect(after.get('passerby_ends_total{reason="you_left"}')).toBe(1);
    expect(after.get('passerby_ends_total{reason="peer_left"}')).toBe(1);
    for (const word of ['canary-4711', pair.conversationId, 'pk_test_shop', 'site_shop', '127.0.0.1']) {
      expect(text).not.toContain(word);
    }
  });

  test('measure the wait of the visitor who was found, and its step', async () => {
    const start = 1_800_000_000_000;
    let now = start;
    const samples = await measured(
      async (app) => {
        await using a = await Visitor.arrive(app);
        await using b = await Visitor.arrive(app);
        await a.find({ topic: 'trains/night' });
        now = start + 3_100;
        await b.find({ topic: 'jazz' });
        await a.next('conversation:started');
      },
      { clock: () => now },
    );
    expect(samples.get('passerby_matches_total{step="3"}')).toBe(1);
    expect(samples.get('passerby_wait_seconds_sum')).toBe(3.1);
  });

  test('count refusals by code and entry point', async () => {
    const samples = await measured(async (app) => {
      await using visitor = await Visitor.arrive(app);
      await visitor.send('match:find', { junk: true });
      await fetch(`${app.url}/nothing`);
      await fetch(`${app.url}/socket.io/?EIO=4&transport=polling&site=pk_test_shop`);
    });
    expect(samples.get('passerby_refusals_total{door="request",code="bad_request"}')).toBe(1);
    expect(samples.get('passerby_refusals_total{door="http",code="not_found"}')).toBe(1);
    expect(samples.get('passerby_refusals_total{door="handshake",code="origin_refused"}')).toBe(1);
  });

  test('count resumes, and unknown tokens', async () => {
    const samples = await measured(
      async (app) => {
        await using a = await Visitor.arrive(app);
        a.cut();
        await using back = await Visitor.arrive(app, { auth: { resume: a.ready.resume } });
        expect(back.ready.recovered).toBe(true);
        await using lost = await Visitor.arrive(app, { auth: { resume: `r_${'x'.repeat(22)}` } });
        expect(lost.ready.recovered).toBe(false);
      },
      { siteList: [siteOf('pk_test_shop')] },
    );
    expect(samples.get('passerby_resumes_total{outcome="resumed"}')).toBe(1);
    expect(samples.get('passerby_resumes_total{outcome="unknown"}')).toBe(1);
  });

  test('measure the delay of the event loop', async () => {
    await using app = await startTestApp();
    await vi.waitFor(async () => {
      const samples = samplesOf(await app.metrics.text());
      expect(samples.get('passerby_event_loop_delay_seconds_count')).toBeGreaterThan(0);
    }, 60_000);
  });
});
