import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { DEMO_SITE } from '../../../src/sites/site-directory.ts';
import { startInspected } from '../../servers/inspector.ts';
import type { Target } from './target.ts';

/** How late event loops were while an attack lasted. Milliseconds. */
export interface Stall {
  /** The service's, at most, and in 99 of 100 looks. */
  readonly maxMs: number;
  readonly p99Ms: number;
  /** At most, of a process beside it that had nothing to do. */
  readonly idleMaxMs: number;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
/** Where main.ts serves from, with what an operator may switch on, and with the allowances of a real service. */
const ENV = {
  RATE_LIMIT_FACTOR: '1',
  METRICS_TOKEN: 'a-token-nobody-here-has',
  OPERATOR_TOKEN: 'another-token-that-nobody-here-has',
};
/** Two bursts of what a connection may send at once. Milliseconds. */
const ATTACK_MS = 5_000;

/** Attacks a service of its own from another process, and looks from inside how late it is. */
export async function measure(attack: string): Promise<Stall> {
  const { node, inspector } = await startInspected(ENV);
  const { hostname, port } = new URL(node.url);
  const target: Target = { host: hostname, port: Number(port), site: DEMO_SITE.keys[0]!, origin: 'http://localhost' };
  const idle = ended(fork(here('idle.ts')));
  await inspector.evaluate(
    "(globalThis.loop = process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution: 1 })).enable()",
  );
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
  await inspector.evaluate('loop.reset()');
  await lag(idle);
  await new Promise((resolve) => setTimeout(resolve, ATTACK_MS));
  const [maxMs, p99Ms] = await inspector.evaluate<[number, number]>('[loop.max / 1e6, loop.percentile(99) / 1e6]');
  const stall = { maxMs, p99Ms, idleMaxMs: await lag(idle) };
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
