import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import path from 'node:path';

/** Top of the repository. */
export const root = path.resolve(import.meta.dirname, '../..');

const environment = {
  ...process.env,
  // Every tool and every process that a test starts compiles the same modules.
  NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/node-compile'),
  PATH: [path.join(root, 'node_modules/.bin'), process.env['PATH']].join(path.delimiter),
};

/**
 * Runs a command at the top of the repository and captures its output, or shows it if `isShown`. Never rejects for a
 * failing command: look at `code`.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ isShown?: boolean, env?: Record<string, string>, priority?: number | undefined }} [options] `priority`: of the
 *   process and those it starts, as `os.setPriority` has it
 * @returns {Promise<{ code: number, output: string, stdout: string }>} `output` has stdout and stderr as they came
 */
export function run(command, args, { isShown = false, env = {}, priority } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...environment, ...env },
      stdio: isShown ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    if (priority !== undefined && child.pid !== undefined) setPriority(child.pid, priority);
    let output = '';
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output += text;
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}\n`, stdout }));
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 1, output: signal ? `${output}\n${signal}` : output, stdout }),
    );
  });
}

/**
 * Runs a command and returns its stdout; ends this process with its output if it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ isShown?: boolean, env?: Record<string, string> }} [options]
 */
export async function mustRun(command, args, options) {
  const { code, output, stdout } = await run(command, args, options);
  if (code === 0) return stdout;
  console.error(`\n✗ ${[command, ...args].join(' ')}\n${output}`);
  process.exit(code);
}

/** @param {number} startedAt from `performance.now()` */
export const secondsSince = (startedAt) => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
