import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { DEMO_SITE } from '../../../src/sites/site-directory.ts';
import { startInspected } from '../../servers/inspector.ts';
import type { Target } from './target.ts';

/** Delays of a service during an attack, in milliseconds. */
export interface Stall {
  /** CPU time of the longest turn of its event loop, which is the longest delay on an otherwise idle machine. */
  readonly turnMs: number;
  /** Maximum, and 99th percentile, of the delay of its event loop on this machine under its present load. */
  readonly maxMs: number;
  readonly p99Ms: number;
  /** Maximum delay of an idle process beside it. */
  readonly idleMaxMs: number;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
/** Service that main.ts would start, with the options of an operator, and with the quotas of a real service. */
const ENV = {
  RATE_LIMIT_FACTOR: '1',
  METRICS_TOKEN: 'a-token-nobody-here-has',
  OPERATOR_TOKEN: 'another-token-that-nobody-here-has',
};
/** Duration of two bursts of maximum size. Milliseconds. */
const ATTACK_MS = 5_000;

/**
 * Runs in the service: measures the delay of its event loop from now on, and the computation of its thread between two
 * turns.
 */
const LOOK = `
  globalThis.loop = process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  globalThis.longestTurnMs = 0;
  {
    let before = process.threadCpuUsage();
    setInterval(() => {
      const { user, system } = process.threadCpuUsage(before);
      before = process.threadCpuUsage();
      longestTurnMs = Math.max(longestTurnMs, (user + system) / 1_000);
    }, 1).unref();
  }
  true;
`;

/** Attacks a service from another process, and measures its delay from inside. */
export async function measure(attack: string): Promise<Stall> {
  const { node, inspector } = await startInspected(ENV);
  const { hostname, port } = new URL(node.url);
  const target: Target = { host: hostname, port: Number(port), site: DEMO_SITE.keys[0]!, origin: 'http://localhost' };
  const idle = ended(fork(here('idle.ts')));
  await inspector.evaluate(LOOK);
  // Looking in for the first time takes the service a moment, and starting the attackers takes the machine one.
  const attacker = ended(
    spawn(process.execPath, ['--conditions=passerby-source', here('attacker.ts'), attack, JSON.stringify(target)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  await Promise.race([
    once(attacker.stdout!, 'data'),
    once(attacker, 'exit').then(() => Promise.reject(new Error(`the attack "${attack}" did not begin`))),
  ]);
  await inspector.evaluate('loop.reset(); longestTurnMs = 0');
  await lag(idle);
  await new Promise((resolve) => setTimeout(resolve, ATTACK_MS));
  const [turnMs, maxMs, p99Ms] = await inspector.evaluate<[number, number, number]>(
    '[longestTurnMs, loop.max / 1e6, loop.percentile(99) / 1e6]',
  );
  const stall = { turnMs, maxMs, p99Ms, idleMaxMs: await lag(idle) };
  attacker.kill('SIGKILL');
  idle.kill('SIGKILL');
  if (!node.isRunning) throw new Error(`the service is gone: ${node.output}`);
  await node.stop();
  return stall;
}

function ended(child: ChildProcess): ChildProcess {
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function lag(idle: ChildProcess): Promise<number> {
  const answer = once(idle, 'message') as Promise<[number]>;
  idle.send('how late?');
  return (await answer)[0];
}
