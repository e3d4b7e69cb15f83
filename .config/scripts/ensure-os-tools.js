// Makes sure that programs which no npm package ships are here: installs them with apt-get when that
// is possible, and otherwise says the one command to run. `node ensure-os-tools.js chromium …`
import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium, headlessShell } from '../chromium.js';
import { run } from './run.js';

/** Path of the program, by Debian package. @type {Record<string, string>} */
const PROGRAMS = {
  chromium: chromium.executablePath,
  'chromium-headless-shell': headlessShell.executablePath,
  'redis-server': '/usr/bin/redis-server',
  'firefox-esr': '/usr/bin/firefox-esr',
  'webkit2gtk-driver': '/usr/bin/WebKitWebDriver',
  xvfb: '/usr/bin/Xvfb',
};

/**
 * @param {readonly string[]} packages keys of `PROGRAMS`
 * @returns {Promise<void>} rejects with advice if a program is missing and cannot be installed
 */
export async function ensureOsTools(packages) {
  const unknown = packages.filter((name) => !Object.hasOwn(PROGRAMS, name));
  if (unknown.length > 0)
    throw new Error(`ensure-os-tools knows ${Object.keys(PROGRAMS).join(', ')}; not ${unknown.join(', ')}.`);

  const missing = () => packages.filter((name) => !existsSync(PROGRAMS[name] ?? ''));
  const wanted = missing();
  if (wanted.length === 0) return;

  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!canInstall) throw new Error(`Missing: ${wanted.join(', ')}. Install with:\n  ${advice(wanted)}`);

  console.log(`Installing ${wanted.join(' and ')} with apt-get …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const update = await run('apt-get', ['update', '-qq'], { env });
  const install = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wanted], { env });
  if (missing().length > 0) {
    throw new Error(`Could not install ${missing().join(', ')}:\n${update.output}${install.output}`);
  }
}

/** @param {readonly string[]} packages */
function advice(packages) {
  if (existsSync('/usr/bin/apt-get')) return `sudo apt-get install -y ${packages.join(' ')}`;
  return packages.some((name) => name.startsWith('chromium'))
    ? 'CHROMIUM_PATH=/path/to/chromium npm test   (any Chromium or Chrome)'
    : `your package manager: ${packages.join(' ')}`;
}

if (import.meta.filename === path.resolve(process.argv[1] ?? '')) {
  await ensureOsTools(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
