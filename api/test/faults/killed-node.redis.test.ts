import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { FREE, ORIGIN, SHOP, Visitor } from '../harness.ts';
import { ServiceProcess } from '../../../.config/test/service-process.ts';
import { RedisServer } from '../servers/redis-server.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'passerby-killed-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Node address for a visitor, who needs nothing else of it. */
const at = ({ url }: ServiceProcess) => ({ url }) as App;

test('I14 an acknowledged block survives the death of its node', async () => {
  const sitesFile = join(directory, 'sites.json');
  const sites = [{ key: SHOP.key, name: 'Shop', origins: [ORIGIN], match: FREE }];
  writeFileSync(sitesFile, JSON.stringify({ sites }));
  await using redis = await RedisServer.start();
  const env = { REDIS_URL: redis.url, SITES_FILE: sitesFile };
  await using dying = await ServiceProcess.start(env);
  await using living = await ServiceProcess.start(env);
  await using a = await Visitor.arrive(at(dying));
  await using b = await Visitor.arrive(at(living));
  await a.find();
  await b.find();
  const { conversationId } = await a.next('conversation:started');
  await b.next('conversation:started');

  expect(await a.ask('conversation:block', { conversationId })).toMatchObject({ ok: true });
  await dying.stop();

  await using back = await Visitor.arrive(at(living), { auth: { resume: a.ready.resume } });
  expect(back.ready).toMatchObject({ recovered: true, state: { status: 'idle' } });
  await b.next('conversation:ended');
  expect(await b.find()).toEqual({ ok: true, data: { status: 'waiting' } });
  expect(await back.find()).toEqual({ ok: true, data: { status: 'waiting' } });
  await using third = await Visitor.arrive(at(living));
  expect(await third.find()).toEqual({ ok: true, data: { status: 'matched' } });
});
