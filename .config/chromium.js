const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Browser of the operating system, so that nothing is downloaded. `CHROMIUM_PATH` names another one, for every test. */
export const chromium = { executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args };

/** Headless shell of the same engine, which halves the time of the tests. It has no back-forward cache. */
export const headlessShell = {
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium-headless-shell',
  // Nothing is drawn by a graphics card: a process of its own for that is a tenth of the work.
  args: [...args, '--in-process-gpu'],
};
