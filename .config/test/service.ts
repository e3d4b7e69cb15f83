import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ServiceEntry, ServiceProcess } from './service-process.ts';

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

/** Service with sites of a test, on a free port of the loopback interface. */
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
export async function startService(sites: readonly SiteEntry[], entry: ServiceEntry = 'dist'): Promise<Service> {
  const folder = await mkdtemp(path.join(tmpdir(), 'passerby-'));
  const file = path.join(folder, 'sites.json');
  await writeFile(file, JSON.stringify({ sites }));
  const remove = () => rm(folder, { recursive: true, force: true });
  const start = (port: string) =>
    ServiceProcess.start({ PORT: port, SITES_FILE: file, DATA_DIR: folder, LOG_LEVEL: 'info' }, { entry });

  const processes: ServiceProcess[] = [];
  try {
    processes.push(await start('0'));
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  const { url } = processes[0]!;
  const kill = () => processes.at(-1)!.stop();
  return {
    url,
    output: () => processes.map(({ output }) => output).join(''),
    kill,
    restart: async () => {
      await kill();
      processes.push(await start(new URL(url).port));
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      await remove();
    },
  };
}
