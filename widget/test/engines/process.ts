import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

/** Starts a virtual screen. Returns its name, for `DISPLAY`. */
export async function startScreen(started: AsyncDisposableStack): Promise<string> {
  // It says the number of its display on the fourth stream.
  const screen = started.use(
    new Program('/usr/bin/Xvfb', ['-displayfd', '3', '-screen', '0', '1000x800x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    }),
  );
  const [display] = await screen.says(/\d+/);
  return `:${display}`;
}

/** Child process that ends with the test, and with the test run. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  #said = '';

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const { child } = this;
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.on('exit', endWithUs);
    child.once('exit', () => process.off('exit', endWithUs));
    child.on('error', (error) => (this.#said += String(error)));
    for (const stream of child.stdio.slice(1)) stream?.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
  }

  /** Waits until the output matches, and returns the match. Rejects once the process has ended. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const { child } = this;
    while (true) {
      const found = pattern.exec(this.#said);
      if (found) return found;
      const end = child.exitCode ?? child.signalCode;
      if (end !== null) throw new Error(`${child.spawnfile} ended with ${end}:\n${this.#said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
