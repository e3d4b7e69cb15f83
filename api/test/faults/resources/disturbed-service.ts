import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { comesTrue, pause } from '../patience.ts';
import { ChatDriver } from '../chat-driver.ts';
import { FREE, ORIGIN, SHOP } from '../../harness.ts';
import { ServiceProcess } from '../../../../.config/test/service-process.ts';
import type { Disturbance, DisturbedResource, Extent } from './disturbance.ts';
import { faultsInLog } from './log-lines.ts';
import { costOf, type ProcessCost } from './process-cost.ts';

/** Maximum time for a condition to become true on a very busy machine. Milliseconds. */
const PATIENCE_MS = 60_000;
/** Live memory that may remain: caches that fill once, and the collector's slack. Bytes. */
const KEPT_BYTES = 4_000_000;
const KEPT_SHARE = 0.1;

/** Service process whose resources are disturbed, with two visitors beside who talk all the time. */
export class DisturbedService {
  readonly node: ServiceProcess;
  readonly #talkers: readonly [ChatDriver, ChatDriver];
  readonly #folder: string;
  #before: ProcessCost | null = null;

  private constructor(node: ServiceProcess, talkers: readonly [ChatDriver, ChatDriver], folder: string) {
    this.node = node;
    this.#talkers = talkers;
    this.#folder = folder;
  }

  static async start(
    env: Readonly<Record<string, string>> = {},
    where: { readonly log?: number } = {},
  ): Promise<DisturbedService> {
    const folder = mkdtempSync(join(tmpdir(), 'passerby-disturbed-'));
    const sitesFile = join(folder, 'sites.json');
    const sites = [{ key: SHOP.key, name: 'Shop', origins: [ORIGIN], match: FREE }];
    writeFileSync(sitesFile, JSON.stringify({ sites }));
    const node = await ServiceProcess.start(
      {
        SITES_FILE: sitesFile,
        NODE_OPTIONS: '--inspect=127.0.0.1:0',
        LOG_LEVEL: 'info',
        ...env,
      },
      where,
    );
    try {
      const talkers = [new ChatDriver('one', node.url, SHOP.key), new ChatDriver('other', node.url, SHOP.key)] as const;
      await Promise.all(talkers.map(({ chat }) => chat.find()));
      const service = new DisturbedService(node, talkers, folder);
      await service.#until(() => talkers.every(({ conversationId }) => conversationId !== null), 'the two met');
      return service;
    } catch (error) {
      await node.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Disturbs resources at once, and asserts that the process and the two visitors are unaffected. */
  async withstand(resources: readonly DisturbedResource[], disturbance: Disturbance, extent: Extent): Promise<void> {
    // Pools, caches and compiled code that a first time leaves behind for good are not counted.
    if (this.#before === null) {
      await this.talk();
      this.#before = await costOf(this.node);
    }
    const disturbed = resources.map(async (resource) => {
      let wasCalled = false;
      await resource.disturb(disturbance, extent, async () => {
        wasCalled = true;
        await this.talk();
      });
      if (!wasCalled) throw new Error(`${resource.name}: nothing was said while it was disturbed (${disturbance})`);
    });
    await Promise.all(disturbed);
    await this.talk();
  }

  /** Waits until descriptors and memory are as before. Fails if they are not, or if the log repeats itself. */
  async settle(descriptorsSpare: number): Promise<void> {
    const before = this.#before!;
    const descriptorsMax = before.descriptors + descriptorsSpare;
    const liveMax = before.liveBytes * (1 + KEPT_SHARE) + KEPT_BYTES;
    const deadline = performance.now() + PATIENCE_MS;
    let now = await costOf(this.node);
    while ((now.descriptors > descriptorsMax || now.liveBytes > liveMax) && performance.now() < deadline) {
      await pause(200);
      now = await costOf(this.node);
    }
    const faults = faultsInLog(this.node.output);
    if (now.descriptors > descriptorsMax) faults.push(`descriptors: ${before.descriptors} → ${now.descriptors}`);
    if (now.liveBytes > liveMax) faults.push(`live bytes: ${before.liveBytes} → ${now.liveBytes}`);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }

  /** Sends a message each way, and waits for both to arrive. */
  async talk(): Promise<void> {
    this.#assertRunning();
    const conversations = this.#talkers.map(({ conversationId }) => conversationId);
    if (conversations.includes(null) || conversations[0] !== conversations[1])
      throw new Error(
        `their conversation ended: ${JSON.stringify(this.#talkers.flatMap(({ log }) => log.events.at(-1)))}`,
      );
    for (const talker of this.#talkers) talker.say();
    await this.#until(() => this.#talkers.every(({ underWay }) => underWay === 0), 'both were heard');
    this.#assertRunning();
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    if (await comesTrue(() => isSo() || !this.node.isRunning, PATIENCE_MS)) this.#assertRunning();
    else throw new Error(`never came true: ${what}`);
  }

  #assertRunning(): void {
    if (!this.node.isRunning) throw new Error(`the process ended: ${this.node.output.slice(-2_000)}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#talkers.map(({ chat }) => chat.close()));
    await this.node.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
