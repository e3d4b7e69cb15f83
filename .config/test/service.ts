import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** Entry of a site in the sites file. */
export interface SiteEntry {
  readonly key: string;
  readonly name: string;
  readonly origins: readonly string[];
  readonly interests?: readonly string[];
  readonly isFreeInterests?: boolean;
  readonly inactivityMs?: number;
  readonly ageBands?: readonly string[];
  readonly rules?: { readonly version: string; readonly text: string };
  readonly history?: 'none' | 'reports';
}

/** The real service in a process of its own, on a free port of the loopback interface. */
export interface Service extends AsyncDisposable {
  /** Origin, such as `http://127.0.0.1:41235`. The same after a restart. */
  readonly url: string;
  /** Returns everything it has printed so far. */
  readonly output: () => string;
  /** Ends the process by SIGKILL. */
  readonly kill: () => Promise<void>;
  /** Starts again on the same port, with empty state. */
  readonly restart: () => Promise<void>;
}

/** Starts the service from `dist`, as an operator runs it, or from `source`, so that nothing has to be built first. */
export async function startService(sites: readonly SiteEntry[], from: 'dist' | 'source' = 'dist'): Promise<Service> {
  const folder = await mkdtemp(path.join(tmpdir(), 'passerby-'));
  const file = path.join(folder, 'sites.json');
  await writeFile(file, JSON.stringify({ sites }));

  let output = '';
  let child: ChildProcess;
  const launch = async (port: string): Promise<string> => {
    child = spawn(
      process.execPath,
      from === 'dist' ? ['api/dist/main.js'] : ['--conditions=passerby-source', 'api/src/main.ts'],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          HOST: '127.0.0.1',
          PORT: port,
          SITES_FILE: file,
          DATA_DIR: folder,
          RATE_LIMIT_FACTOR: '1000',
          // A machine that runs tests is late.
          SHED_FROM_MS: '60000',
        },
      },
    );
    const running = child;
    const killWithUs = (): void => void running.kill('SIGKILL');
    process.on('exit', killWithUs);
    running.once('exit', () => process.off('exit', killWithUs));
    return address(running, (text) => (output += text));
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };

  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const url = await launch('0').catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    url,
    output: () => output,
    kill,
    restart: async () => {
      await kill();
      await launch(new URL(url).port);
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      await remove();
    },
  };
}

/** Resolves to the address in the line that the service prints once it listens. */
function address(child: ChildProcess, keep: (text: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const read = (text: string): void => {
      keep(text);
      said += text;
      const match = /Passerby is at (http:\/\/\S+)/.exec(said);
      if (match) resolve(match[1]!.replace('//localhost:', '//127.0.0.1:'));
    };
    child.stdout!.setEncoding('utf8').on('data', read);
    child.stderr!.setEncoding('utf8').on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The service ended with ${code} before it listened:\n${said}`)));
    setTimeout(() => reject(new Error(`The service did not listen within 180 s:\n${said}`)), 180_000).unref();
  });
}
