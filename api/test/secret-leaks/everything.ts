import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { SignJWT } from 'jose';
import { expect } from 'vitest';
import { claimsPrivateKeyOf } from '../../src/sites/site-keys.ts';
import { FREE, ORIGIN, until, Visitor } from '../harness.ts';
import { ServiceProcess } from '../../../.config/test/service-process.ts';
import { RedisServer } from '../servers/redis-server.ts';

/** Unique word: whatever contains it received it. */
const canary = (what: string) => `canary-${what}-${randomUUID()}`;

/** Output of one run, and the words that must not be in it. */
export interface Remains {
  /** Words by their kind: messages, secrets, addresses. */
  readonly canaries: Readonly<Record<string, string>>;
  /** Texts by their place: output of the processes, their metrics, their answers, all data in Redis. */
  readonly places: Readonly<Record<string, string>>;
  /** Words that must be found where they belong, so that a search that finds nothing is detected. */
  readonly found: Readonly<Record<string, string>>;
}

/**
 * Passes words, tokens, keys and addresses through every function of the service, faults included, on two processes
 * with one Redis and the records of `env`. `whileUp` reads further places.
 */
export async function putThroughEverything(
  env: Readonly<Record<string, string>>,
  whileUp: () => Promise<Readonly<Record<string, string>>>,
): Promise<Remains> {
  const operatorToken = canary('operator');
  const metricsToken = canary('metrics');
  await using server = await RedisServer.start();
  const nodeEnv = {
    ...env,
    REDIS_URL: server.url,
    LOG_LEVEL: 'info',
    TRUSTED_HOPS: '1',
    OPERATOR_TOKEN: operatorToken,
    METRICS_TOKEN: metricsToken,
  };
  await using one = await ServiceProcess.start(nodeEnv);
  await using other = await ServiceProcess.start(nodeEnv);
  const answers: string[] = [];
  const ask = async (node: ServiceProcess, method: string, path: string, body?: unknown, token = operatorToken) => {
    const answer = await fetch(node.url + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        'X-Forwarded-For': ADDRESSES.operator,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };

  // A site by the operators' API, whose answer is the one place where a secret key is shown.
  const made = await ask(one, 'POST', '/admin/v1/sites', {
    name: 'Shop',
    origins: [ORIGIN],
    settings: { match: FREE },
  });
  expect(made.status).toBe(201);
  const { site: record, keys } = JSON.parse(made.text) as {
    readonly site: { readonly id: string };
    readonly keys: readonly { readonly kind: string; readonly mode: string; readonly text: string }[];
  };
  const site = keys.find(({ kind, mode }) => kind === 'publishable' && mode === 'live')!.text;
  const secret = keys.find(({ kind }) => kind === 'secret')!.text;
  const claims = await new SignJWT({ locale: 'en' })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setExpirationTime('5m')
    .sign(claimsPrivateKeyOf(secret));
  for (const node of [one, other]) {
    await expect
      .poll(() => fetch(`${node.url}/v1/site?site=${site}`, { headers: { Origin: ORIGIN } }).then(({ ok }) => ok), {
        timeout: 60_000,
      })
      .toBe(true);
  }

  await using a = await Visitor.arrive(one, { site, from: ADDRESSES.a, auth: { claims } });
  await using b = await Visitor.arrive(other, { site, from: ADDRESSES.b });
  const said = {
    heard: canary('heard'),
    tooLong: canary('too-long'),
    malformed: canary('malformed'),
    asked: canary('asked'),
    unheard: canary('unheard'),
    repeated: canary('repeated'),
    handedOver: canary('handed-over'),
    solution: canary('solution'),
    badClaims: canary('claims'),
    guessed: canary('guessed'),
    inPath: canary('path'),
    inBody: canary('body'),
  };
  await a.find({ interests: ['jazz'] });
  await b.find({ interests: ['jazz'] });
  const { conversationId } = await a.next('conversation:started');
  await b.next('conversation:started');
  a.say(conversationId, 1, said.heard);
  expect((await b.next('conversation:frame')).body).toMatchObject({ text: said.heard });
  for (let seq = 2; seq < 8; seq++) a.say(conversationId, seq, said.repeated);
  a.say(conversationId, 8, said.tooLong.repeat(100));
  a.socket.emit('conversation:frame', { conversationId, said: said.malformed });
  const told = async (visitor: Visitor, name: string, payload: unknown) => {
    const answer = await visitor.send(name, payload);
    answers.push(JSON.stringify(answer));
    return answer;
  };
  expect(await told(a, 'match:find', { requestId: said.asked, junk: said.asked })).toMatchObject({ ok: false });
  expect(await told(a, 'session:prove', { solution: said.solution })).toMatchObject({ ok: false });
  expect(await told(a, 'session:agree', { rules: said.asked })).toMatchObject({ ok: false });
  const messages = [{ from: 'peer', text: said.handedOver }];
  expect(await told(a, 'conversation:report', { conversationId, reason: 'spam', messages })).toMatchObject({
    ok: true,
  });
  await Visitor.arrive(one, { site, from: ADDRESSES.c, auth: { claims: said.badClaims } }).then(
    () => expect.unreachable(),
    (refused: unknown) => answers.push(JSON.stringify(refused)),
  );
  b.cut();
  await a.next('conversation:peer');
  a.say(conversationId, 9, said.unheard);
  await using back = await Visitor.arrive(one, { site, from: ADDRESSES.b, auth: { resume: b.ready.resume } });
  expect(back.ready.recovered).toBe(true);

  // What operators do, and what goes wrong at HTTP.
  const reports = JSON.parse((await ask(other, 'GET', '/admin/v1/reports')).text) as {
    readonly items: readonly { readonly id: string }[];
  };
  await ask(other, 'POST', `/admin/v1/reports/${reports.items[0]!.id}/ban`, { kind: 'address', forMs: 60_000 });
  for (const [method, path, body, token] of [
    ['GET', '/admin/v1/sites', undefined, said.guessed],
    ['POST', '/admin/v1/sites', { name: [said.inBody], origins: said.inBody }, operatorToken],
    ['GET', `/${said.inPath}?${said.inPath}`, undefined, operatorToken],
    ['GET', `/admin/v1/reports/${said.inPath}`, undefined, operatorToken],
  ] as const) {
    answers.push((await ask(one, method, path, body, token)).text);
  }
  await until(() => !back.socket.connected, 'who is banned is shown out');

  // A store that fails is what most is logged about.
  const redis = new Redis(server.url);
  let held: string;
  try {
    held = await contentsOf(redis);
    await redis.config('SET', 'maxmemory', '1');
    await told(a, 'match:cancel', {});
    await told(a, 'conversation:leave', { conversationId });
  } finally {
    redis.disconnect();
  }
  await until(() => one.output.includes('round failed'), 'the node complains');
  const metrics: string[] = [];
  for (const node of [one, other]) metrics.push((await ask(node, 'GET', '/metrics', undefined, metricsToken)).text);
  const tokens = { first: a.ready.resume, used: b.ready.resume, last: back.ready.resume };
  const places = {
    'what the processes print': one.output + other.output,
    metrics: metrics.join('\n'),
    'answers and errors': answers.join('\n'),
    Redis: held,
    ...(await whileUp()),
  };
  return {
    canaries: { ...said, ...ADDRESSES, ...tokens, operatorToken, metricsToken, secret, claims },
    places,
    found: {
      'what the processes print': 'round failed',
      metrics: 'passerby_',
      Redis: conversationId,
      records: record.id,
    },
  };
}

/** Documentation addresses (RFC 5737), which nothing else contains. */
const ADDRESSES = { a: '203.0.113.141', b: '198.51.100.142', c: '192.0.2.143', operator: '203.0.113.144' };

/** Places of a session's token, which resumes it. */
const RESUME_TOKENS = new Set(['first', 'used', 'last']);

/** Searches every place for every canary. */
export function expectNoCanary({ canaries, places, found }: Remains): void {
  for (const [place, word] of Object.entries(found)) expect(places[place], place).toContain(word);
  const hits = Object.entries(places).flatMap(([place, text]) =>
    Object.entries(canaries)
      .filter(([what]) => !(place === 'Redis' && RESUME_TOKENS.has(what)))
      .filter(([, word]) => formsOf(word).some((form) => text.includes(form)))
      .map(([what]) => `${what} in ${place}`),
  );
  expect(hits).toEqual([]);
}

/** Forms of a word: as it is, and encoded. */
function formsOf(word: string): readonly string[] {
  return [word, Buffer.from(word).toString('base64').replace(/=+$/, ''), Buffer.from(word).toString('hex')];
}

/** Returns all data in Redis, keys included, as one text. */
async function contentsOf(redis: Redis): Promise<string> {
  const parts: string[] = [];
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    const [command, ...rest] = READ_ALL[type] ?? [];
    if (command === undefined) throw new Error(`${key} is a ${type}`);
    parts.push(key, JSON.stringify(await redis.call(command, key, ...rest)));
  }
  return parts.join('\n');
}

const READ_ALL: Readonly<Record<string, readonly [string, ...string[]]>> = {
  string: ['GET'],
  hash: ['HGETALL'],
  list: ['LRANGE', '0', '-1'],
  zset: ['ZRANGE', '0', '-1'],
};
