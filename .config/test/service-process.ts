import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** File with the service and its dependencies, as `bundleService` made it. */
export const SERVICE_BUNDLE = path.join(root, 'node_modules/.cache/passerby/service.mjs');

/** Entry points of the service: all in one file for tests, as an operator runs it, and the sources. */
const ENTRIES = {
  bundle: SERVICE_BUNDLE,
  dist: path.join(root, 'api/dist/main.js'),
  source: path.join(root, 'api/src/main.ts'),
} as const;
export type ServiceEntry = keyof typeof ENTRIES;

/** Maximum time until a process prints its address. Milliseconds. */
const START_MS = 180_000;

/** End of a process before it printed its address. */
export interface FailedStart {
  readonly code: number | null;
  readonly output: string;
}

function launch(
  env: Readonly<Record<string, string>>,
  log: number | 'pipe' = 'pipe',
  entry: ServiceEntry = 'bundle',
): ChildProcess {
  const inherited = Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  // Its own records, unless the test says which.
  const dataDir = mkdtempSync(path.join(tmpdir(), 'passerby-data-'));
  const removeData = () => rmSync(dataDir, { recursive: true, force: true });
  const conditions = entry === 'dist' ? [] : ['--conditions=passerby-source'];
  const child = spawn(process.execPath, [...conditions, ENTRIES[entry]], {
    env: {
      ...inherited,
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'error',
      RATE_LIMIT_FACTOR: '10000',
      // A machine that runs tests is late.
      SHED_FROM_MS: '60000',
      DATA_DIR: dataDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', log],
  });
  process.once('exit', removeData);
  child.once('exit', () => {
    process.off('exit', removeData);
    removeData();
  });
  return child;
}

/** End of a process. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Service as a process of its own. */
export class ServiceProcess {
  readonly url: string;
  /** Resolves once the process has ended and all its output was read. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #output: string;

  private constructor(child: ChildProcess, url: string, output: string) {
    this.#child = child;
    this.url = url;
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal }) as Ending);
    this.#output = output;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  /** `log`: descriptor that takes its log in place of `output`. */
  static async start(
    env: Readonly<Record<string, string>>,
    { log, entry }: { log?: number; entry?: ServiceEntry } = {},
  ): Promise<ServiceProcess> {
    const child = launch(env, log, entry);
    const killAtExit = () => void child.kill('SIGKILL');
    process.once('exit', killAtExit);
    child.once('exit', () => process.off('exit', killAtExit));
    let output = '';
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the service did not start: ${output}`)), START_MS);
      const read = (chunk: Buffer) => {
        output += chunk.toString();
        const found = /Passerby is at (http:\S+)/.exec(output)?.[1];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found.replace('localhost', '127.0.0.1'));
      };
      child.stdout!.on('data', read);
      child.stderr?.on('data', read);
      child.once('exit', (code) => reject(new Error(`the service ended with ${code}: ${output}`)));
    }).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    return new ServiceProcess(child, url, output);
  }

  /** Starts a process that is expected to refuse, and returns its end; it is killed after a time in milliseconds. */
  static async failToStart(env: Readonly<Record<string, string>>, maxMs = START_MS): Promise<FailedStart> {
    return howItFails(launch(env), maxMs);
  }

  /** Starts it from the sources, file by file, so that a failure names the file. */
  static async failToStartFromSource(env: Readonly<Record<string, string>>): Promise<FailedStart> {
    return howItFails(launch(env, 'pipe', 'source'), START_MS);
  }

  /** Output so far. */
  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Stops reading its output; the pipes stay open. */
  stopReading(): void {
    this.#child.stdout!.pause();
    this.#child.stderr!.pause();
  }

  resumeReading(): void {
    this.#child.stdout!.resume();
    this.#child.stderr!.resume();
  }

  /** Closes the pipes of its output. */
  closeOutput(): void {
    this.#child.stdout!.destroy();
    this.#child.stderr!.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it by a signal, and resolves once it has exited. Returns the time that took, in milliseconds. */
  async drain(): Promise<number> {
    const ended = once(this.#child, 'exit');
    const askedAt = performance.now();
    this.#child.kill('SIGTERM');
    await ended;
    return performance.now() - askedAt;
  }

  /** Kills it. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function howItFails(child: ChildProcess, maxMs: number): Promise<FailedStart> {
  let output = '';
  child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), maxMs);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, output };
}
