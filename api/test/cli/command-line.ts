import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { SERVICE_BUNDLE } from '../../../.config/test/service-process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs one line in a shell at the top of the repository, with this input and a minimal environment. */
export async function runLine(line: string, env: Readonly<Record<string, string>>, input = ''): Promise<Ended> {
  const inherited = Object.fromEntries(['PATH', 'HOME', 'TMPDIR'].map((name) => [name, process.env[name] ?? '']));
  const child = spawn('sh', ['-c', line], { cwd: ROOT, env: { ...inherited, ...env } });
  const killAtExit = () => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.stdin.end(input);
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  process.off('exit', killAtExit);
  return { code, out, err };
}

/** Runs the command line. */
export function runCli(args: string, env: Readonly<Record<string, string>>, input?: string): Promise<Ended> {
  return runLine(`"${process.execPath}" "${SERVICE_BUNDLE}" ${args}`, env, input);
}
