import { Agent, request, type IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { findAdmittedSite } from '../src/admission/origin-check.ts';
import { directoryOf } from '../src/sites/site-directory.ts';
import { ORIGIN, siteOf, startTestApp } from './harness.ts';

const ROUNDS = 3_000;
/** Medians of alternating requests to one process: the remaining difference is the noise of a busy machine. */
const RATIO_MAX = 1.15;

/** Reasons to refuse a page. A long list of origins makes the work for a known key maximal. */
const ORIGINS = Array.from({ length: 30 }, (_, n) => `https://page-${n}.example`);
const KINDS = [
  ['an unknown key', 'pk_live_nobody_has_this', ORIGIN],
  ['a wrong origin', 'pk_live_shop', 'https://evil.example'],
  ['a site that nobody may embed', 'pk_live_off', ORIGIN],
] as const;

/** Number of calls in one measurement, so that the clock is precise enough for them. */
const BATCH = 500;
/** Maximum ratio: 1.0 with the decoy, 1.9 without. */
const WORK_RATIO_MAX = 1.4;

test('S21 the decision takes as long for an unknown key as for a wrong origin', () => {
  const sites = directoryOf([siteOf('pk_live_shop'), siteOf('pk_live_off', [])]);
  const requests = KINDS.map(
    ([, site, origin]) => ({ url: `/v1/site?site=${site}`, headers: { origin } }) as unknown as IncomingMessage,
  );
  const times = KINDS.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, asked] of requests.entries()) {
      const since = performance.now();
      for (let n = 0; n < BATCH; n++) findAdmittedSite(asked, sites);
      times[kind]!.push(performance.now() - since);
    }
  }
  const medians = mediansOf(times);
  console.log(
    `admit: ${KINDS.map(([what], n) => `${what} ${((medians[n]! * 1e6) / BATCH).toFixed(0)} ns`).join(', ')}`,
  );
  expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(WORK_RATIO_MAX);
});

test.each([
  ['/v1/site', '/v1/site?'],
  ['the handshake', `${SOCKET_PATH}?EIO=4&transport=polling&`],
])('%s takes as long to refuse an unknown key as a wrong origin', async (_, path) => {
  await using app = await startTestApp({ siteList: [siteOf('pk_live_shop', ORIGINS), siteOf('pk_live_off', [])] });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ask = (site: string, origin: string) =>
    new Promise<number>((resolve, reject) => {
      const since = performance.now();
      request(`${app.url}${path}site=${site}`, { agent, headers: { Origin: origin } }, (response) => {
        expect(response.statusCode).toBe(403);
        response.resume().once('end', () => resolve(performance.now() - since));
      })
        .on('error', reject)
        .end();
    });

  const times = KINDS.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < KINDS.length; turn++) {
      const kind = (round + turn) % KINDS.length;
      const [, site, origin] = KINDS[kind]!;
      times[kind]!.push(await ask(site, origin));
    }
  }
  const medians = mediansOf(times);
  console.log(`${path}: ${KINDS.map(([what], n) => `${what} ${(medians[n]! * 1_000).toFixed(0)} µs`).join(', ')}`);
  expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(RATIO_MAX);
});

function mediansOf(times: readonly number[][]): number[] {
  return times.map((list) => list.sort((a, b) => a - b)[list.length >> 1]!);
}
