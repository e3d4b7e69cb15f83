import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from '../../../.config/chromium.js';

/** Maximum time that a page may take to run a command. Milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * Chromium without an attached debugger: with one it activates no prerendered page, and has no back/forward cache. Its
 * pages poll this process for commands, by `driver`.
 */
export class UnwatchedBrowser implements AsyncDisposable {
  /** Markup for the `<head>` of every page. */
  readonly driver: string;
  #asked: string | null = null;
  #answer: ((said: { value?: unknown; error?: string }) => void) | null = null;
  readonly #ready = new Map<string, () => void>();
  readonly #stop: AsyncDisposableStack;
  #browser: AsyncDisposable | null = null;

  private constructor(driver: string, stop: AsyncDisposableStack) {
    this.driver = driver;
    this.#stop = stop;
  }

  static async start(): Promise<UnwatchedBrowser> {
    const stop = new AsyncDisposableStack();
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
      let body = '';
      request.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        response.setHeader('access-control-allow-origin', '*');
        response.end(own.#serve(pathname, searchParams, body));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stop.defer(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
    const { port } = server.address() as AddressInfo;
    const own = new UnwatchedBrowser(`<script>(${drive})('http://127.0.0.1:${port}')</script>`, stop);
    return own;
  }

  /** Opens the browser with this page. */
  async open(address: string): Promise<void> {
    const profile = await mkdtemp(path.join(tmpdir(), 'passerby-profile-'));
    const args = [...chromium.args, '--headless', '--disable-gpu', '--no-first-run', '--force-prefers-reduced-motion'];
    const browser = spawn(
      chromium.executablePath,
      [...args, '--window-size=1000,1000', `--user-data-dir=${profile}`, address],
      { stdio: 'ignore' },
    );
    this.#browser = this.#stop.use({
      [Symbol.asyncDispose]: async () => {
        const ended = once(browser, 'exit');
        if (browser.exitCode === null && browser.kill('SIGKILL')) await ended;
        await rm(profile, { recursive: true, force: true, maxRetries: 10 });
      },
    });
    await new Promise((resolve, reject) => browser.once('spawn', resolve).once('error', reject));
  }

  /** Runs a function in the visible page, and resolves to its result. The function is sent as text. */
  ask<Given, Said>(what: (given: Given) => Said, given: Given): Promise<Awaited<Said>>;
  ask<Said>(what: () => Said): Promise<Awaited<Said>>;
  async ask(what: (given: never) => unknown, given: unknown = null): Promise<unknown> {
    if (this.#browser === null) throw new Error('No page is open yet.');
    const { value, error } = await new Promise<{ value?: unknown; error?: string }>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`No page answered: ${what}`)), PATIENCE_MS);
      this.#answer = (said) => {
        clearTimeout(timer);
        resolve(said);
      };
      this.#asked = `(${what})(${JSON.stringify(given)})`;
    });
    if (error !== undefined) throw new Error(error);
    return value;
  }

  /** Resolves once the page of that path has loaded, even if it is not visible yet. */
  whenLoaded(pathname: string): Promise<void> {
    return new Promise((resolve) => this.#ready.set(pathname, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop.disposeAsync();
  }

  #serve(pathname: string, given: URLSearchParams, body: string): string {
    if (pathname === '/loaded') this.#ready.get(given.get('page') ?? '')?.();
    if (pathname === '/said') this.#answer?.(JSON.parse(body));
    if (pathname !== '/asked') return '';
    const asked = this.#asked;
    this.#asked = null;
    return asked ?? '';
  }
}

/** Runs the commands of this process, one after another, while the page is visible. Runs in the page. */
function drive(remote: string): void {
  const post = (path: string, said: unknown) => fetch(remote + path, { method: 'POST', body: JSON.stringify(said) });
  let isSeen = false;
  const work = async (): Promise<void> => {
    isSeen = true;
    while (isSeen) {
      const asked = await (await post('/asked', null)).text();
      if (asked === '') await new Promise((resolve) => setTimeout(resolve, 50));
      else await post('/said', await answer(asked));
    }
  };
  const answer = async (asked: string): Promise<{ value?: unknown; error?: string }> => {
    try {
      // eslint-disable-next-line no-eval -- it comes from the test, as text
      const value: unknown = await (0, eval)(asked);
      // What leads away from the page does so once that is told; no request is to be under way then.
      if (typeof value === 'function') {
        isSeen = false;
        setTimeout(value as () => void, 200);
        return {};
      }
      return { value };
    } catch (error) {
      return { error: String(error) };
    }
  };
  addEventListener('load', () => void post(`/loaded?page=${encodeURIComponent(location.pathname)}`, null));
  addEventListener('pageshow', ({ persisted }) => {
    (globalThis as { wasKept?: boolean }).wasKept = persisted;
    if (persisted) void work();
  });
  if ('prerendering' in document && document.prerendering) {
    document.addEventListener('prerenderingchange', () => void work(), { once: true });
  } else void work();
}
