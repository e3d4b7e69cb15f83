import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChatError } from '@passerby/sdk';
import { Redis } from 'ioredis';
import { FREE, ORIGIN } from '../harness.ts';
import { ServiceProcess } from '../../../.config/test/service-process.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { comesTrue, pause } from './patience.ts';
import { ChatDriver } from './chat-driver.ts';
import { Targets } from './targets.ts';
import { TcpProxy } from './tcp-proxy.ts';

const NODES = 2;
/** Maximum number of rounds in a fixture, unless told: each has a site of its own, and nodes sweep every site each second. */
const SITES_MAX = 12;
/** Maximum time for visitors to be matched without a fault: a crowd on a busy machine. Milliseconds. */
const MEET_MAX_MS = 30_000;

/** Visitor, and their path to the service. */
export interface Guest {
  readonly talker: ChatDriver;
  readonly entrance: TcpProxy;
}

/** Two visitors who talk to each other. */
export type Pair = readonly [Guest, Guest];

/** Nodes on one Redis, and their visitors: every connection goes through a proxy that can inject faults. */
export class FaultFixture {
  readonly redis: RedisServer;
  readonly redisProxy: TcpProxy;
  readonly #directory: string;
  readonly #targets = new Targets();
  readonly #nodes = new Set<ServiceProcess>();
  readonly #entrances = new Set<TcpProxy>();
  readonly #talkers = new Set<ChatDriver>();
  readonly #sitesMax: number;
  #sites = 0;

  private constructor(redis: RedisServer, redisProxy: TcpProxy, sitesMax: number) {
    this.redis = redis;
    this.redisProxy = redisProxy;
    this.#sitesMax = sitesMax;
    this.#directory = mkdtempSync(join(tmpdir(), 'passerby-faults-'));
    const sites = Array.from({ length: sitesMax }, (_, index) => siteOf(index + 1));
    const entries = sites.map((key) => ({ key, name: key, origins: [ORIGIN], match: FREE }));
    writeFileSync(this.#sitesFile, JSON.stringify({ sites: entries }));
  }

  static async start(sitesMax = SITES_MAX): Promise<FaultFixture> {
    const redis = await RedisServer.start();
    const stage = new FaultFixture(redis, await TcpProxy.start(redis.port), sitesMax);
    try {
      await Promise.all(Array.from({ length: NODES }, () => stage.addNode()));
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  get nodes(): readonly ServiceProcess[] {
    return [...this.#nodes];
  }

  /** Directs new visitors to the node from now on. */
  async addNode(): Promise<ServiceProcess> {
    const node = await ServiceProcess.start({
      REDIS_URL: `redis://127.0.0.1:${this.redisProxy.port}`,
      SITES_FILE: this.#sitesFile,
    });
    this.#nodes.add(node);
    this.#targets.add(portOf(node));
    return node;
  }

  /** Directs no new visitors to the node; connected ones stay. */
  takeOut(node: ServiceProcess): void {
    this.#nodes.delete(node);
    this.#targets.remove(portOf(node));
  }

  /** Kills a node. */
  async kill(node: ServiceProcess): Promise<void> {
    this.takeOut(node);
    await node.stop();
  }

  /** Deletes everything in Redis. */
  async flush(): Promise<void> {
    const admin = new Redis(this.redis.url);
    await admin.flushall();
    admin.disconnect();
  }

  /** Returns a site without visitors. */
  newSite(): string {
    this.#sites += 1;
    if (this.#sites > this.#sitesMax) throw new Error('the stage is full');
    return siteOf(this.#sites);
  }

  /** Path for one visitor, or for many. It leads to one node, or to all in turns. */
  async entrance(node?: ServiceProcess): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(node === undefined ? this.#targets : portOf(node));
    this.#entrances.add(proxy);
    return proxy;
  }

  /** Visitor who has not connected yet. */
  invite(name: string, site: string, entrance: TcpProxy): Guest {
    const talker = new ChatDriver(name, `http://127.0.0.1:${entrance.port}`, site);
    this.#talkers.add(talker);
    return { talker, entrance };
  }

  /** Pairs in conversation, each visitor with a path of their own. */
  async couples(count: number, site = this.newSite()): Promise<Pair[]> {
    const guests: Guest[] = [];
    for (let n = 1; n <= count * 2; n++) guests.push(this.invite(`v${n}`, site, await this.entrance()));
    return meet(guests);
  }

  async dismiss(guests: readonly Guest[]): Promise<void> {
    await Promise.all(guests.map(({ talker }) => talker.chat.close()));
    for (const { talker } of guests) this.#talkers.delete(talker);
    for (const entrance of new Set(guests.map((guest) => guest.entrance))) {
      this.#entrances.delete(entrance);
      await entrance.stop();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#talkers].map(({ chat }) => chat.close()));
    await Promise.all([...this.#entrances].map((entrance) => entrance.stop()));
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.redisProxy.stop();
    await this.redis.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #sitesFile(): string {
    return join(this.#directory, 'sites.json');
  }
}

/** Lets all of them search, until everybody is matched. */
export async function meet(guests: readonly Guest[]): Promise<Pair[]> {
  await Promise.all(guests.map(look));
  const areAllTalking = () => guests.every(({ talker }) => talker.conversationId !== null);
  if (!(await comesTrue(areAllTalking, MEET_MAX_MS))) throw new Error('not everybody met somebody');
  return couplesOf(guests);
}

/** Retries after the time in the refusal for visitors whose request was refused as unavailable. */
async function look({ talker: { chat } }: Guest): Promise<void> {
  const deadline = performance.now() + MEET_MAX_MS;
  for (;;) {
    try {
      return await chat.find();
    } catch (refusal) {
      const { code, retryAfterMs = 0 } = refusal as ChatError;
      if (code !== 'unavailable' || performance.now() > deadline) throw refusal;
      await pause(retryAfterMs);
    }
  }
}

function couplesOf(guests: readonly Guest[]): Pair[] {
  const byConversation = new Map<string | null, Guest[]>();
  for (const guest of guests) {
    const { conversationId } = guest.talker;
    byConversation.set(conversationId, [...(byConversation.get(conversationId) ?? []), guest]);
  }
  return [...byConversation.values()].map((couple) => {
    if (couple.length !== 2) throw new Error(`${couple.length} are in one conversation`);
    return couple as [Guest, Guest];
  });
}

const siteOf = (n: number) => `pk_test_stage_${n}`;
const portOf = ({ url }: ServiceProcess) => Number(new URL(url).port);
