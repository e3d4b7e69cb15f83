import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { END_MAX_MS } from '../src/shutdown.ts';
import { until, Visitor } from './harness.ts';
import { ServiceProcess } from '../../.config/test/service-process.ts';

const DEMO = { site: 'pk_test_demo', origin: 'http://localhost:1' };
const CANARY = 'canary-4711';

/** Starts the service with a few lines of JavaScript that run before it. */
async function start(lines = '', env: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const service = await ServiceProcess.start({
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(lines)}`,
    ...env,
  });
  onTestFinished(() => service.stop());
  return service;
}

const countOf = (text: string, part: string) => text.split(part).length - 1;
/** Lines of the log, without those of stdout. */
const logOf = ({ output }: ServiceProcess) => output.split('\n').filter((line) => line.startsWith('{'));

async function isAnswering({ url }: ServiceProcess): Promise<boolean> {
  return (await fetch(`${url}/readyz`)).status !== 0;
}

/** Shortens the deadline of the shutdown by this, so that the test need not wait for it. */
const SHORT_END = `const wait = setTimeout; globalThis.setTimeout = (run, ms, ...args) => wait(run, ms === ${END_MAX_MS} ? 300 : ms, ...args);`;

/** Never completes the closing of a server. */
const HANGING_CLOSE = `import { Server } from 'node:http'; Server.prototype.close = function () { return this; };`;

describe('shutdown of a process', () => {
  test('drains once: further signals cut nobody, and print one line', async () => {
    const service = await start();
    const visitor = await Visitor.arrive(service, DEMO);
    service.signal('SIGTERM');
    await visitor.next('session:draining');
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGINT', 'SIGTERM'] as const) service.signal(signal);
    await until(() => service.output.includes('already draining'), 'the second signal is answered');
    expect(await visitor.ask('session:check', {})).toMatchObject({ ok: true });
    visitor.socket.disconnect();
    expect(await service.ended).toEqual({ code: 0, signal: null });
    expect(countOf(service.output, ': draining\n')).toBe(1);
    expect(countOf(service.output, 'already draining')).toBe(1);
    expect(visitor.all('session:draining')).toHaveLength(1);
  });

  test('closes silent connections on either port', async () => {
    const metricsPort = await freePort();
    const service = await start('', { METRICS_PORT: String(metricsPort) });
    for (const port of [Number(new URL(service.url).port), metricsPort]) {
      for (const begun of [
        '',
        'GET /metrics HTTP/1.1\r\nHost: loc',
        'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n',
      ]) {
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
        onTestFinished(() => void socket.destroy());
        await once(socket, 'connect');
        socket.write(begun);
      }
    }
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 0, signal: null });
  });

  test('exits at the deadline, with a line in the log, if closing hangs', async () => {
    const service = await start(`${HANGING_CLOSE} ${SHORT_END}`);
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 1, signal: null });
    expect(service.output).toContain('shutdown deadline passed');
  });

  test('exits at the deadline if a thread hangs that Node would wait for', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'passerby-fifo-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const fifo = path.join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    // Opening a pipe that nobody writes to stands for a name server or a disk that does not answer.
    const service = await start(
      `import { open } from 'node:fs'; open(${JSON.stringify(fifo)}, 'r', () => undefined); ${SHORT_END}`,
    );
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(service.output).toContain('shutdown deadline passed');
  });

  test('exits although nobody reads its output', async () => {
    const service = await start();
    service.closeOutput();
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 0, signal: null });
  });
});

describe('unhandled error', () => {
  const KINDS: [kind: string, lines: string][] = [
    ['thrown', `process.on('SIGUSR2', () => { throw new RangeError('${CANARY}'); });`],
    ['of a promise', `process.on('SIGUSR2', () => void Promise.reject(new RangeError('${CANARY}')));`],
    [
      'of an emitter',
      `import { Readable } from 'node:stream'; process.on('SIGUSR2', () => void new Readable().destroy(new RangeError('${CANARY}')));`,
    ],
  ];

  test.each(KINDS)('%s is logged once without its message, drains the process, and exits with 1', async (_, lines) => {
    const service = await start(lines);
    const visitor = await Visitor.arrive(service, DEMO);
    service.signal('SIGUSR2');
    await visitor.next('session:draining');
    expect(await visitor.ask('session:check', {})).toMatchObject({ ok: true });
    visitor.socket.disconnect();
    expect(await service.ended).toEqual({ code: 1, signal: null });
    const [line, ...more] = logOf(service);
    expect(JSON.parse(line!)).toMatchObject({ level: 50, error: { name: 'RangeError' } });
    expect(more).toEqual([]);
    expect(service.output).not.toContain(CANARY);
  });

  test('ends the process at once if it is the second', async () => {
    // The drain alone would end it at the deadline.
    const service = await start(`${HANGING_CLOSE} ${KINDS[0]![1]}`);
    const visitor = await Visitor.arrive(service, DEMO);
    service.signal('SIGUSR2');
    await visitor.next('session:draining');
    service.signal('SIGUSR2');
    expect(await service.ended).toEqual({ code: 1, signal: null });
    expect(service.output).not.toContain('shutdown deadline passed');
    await until(() => !visitor.socket.connected, 'the visitor is cut');
  });

  test('is not logged at LOG_LEVEL=silent', async () => {
    const service = await start(KINDS[0]![1], { LOG_LEVEL: 'silent' });
    service.signal('SIGUSR2');
    expect(await service.ended).toEqual({ code: 1, signal: null });
    expect(service.output.trim().split('\n')).toEqual([expect.stringMatching(/^Passerby is at /)]);
  });
});

describe('bug during the start', () => {
  const BUG = `import { DatabaseSync } from 'node:sqlite'; DatabaseSync.prototype.prepare = () => { throw new TypeError('${CANARY}'); };`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(BUG)}` };

  test('is logged with its name and place, not as a database failure, and exits with 1', async () => {
    const { code, output } = await ServiceProcess.failToStartFromSource(env);
    expect(code).toBe(1);
    expect(output).not.toContain('DATA_DIR');
    expect(output).not.toContain(CANARY);
    const lines = output.split('\n').filter((line) => line.startsWith('{'));
    expect(lines).toHaveLength(1);
    const { level, error } = JSON.parse(lines[0]!) as { level: number; error: { name: string; stack: string } };
    expect([level, error.name]).toEqual([50, 'TypeError']);
    expect(error.stack).toContain('sqlite.ts');
  });
});

describe('log of a process', () => {
  /** Warnings of Node, each of another kind, so that no limit of the log leaves one out. */
  const WARN = (count: number) =>
    `process.on('SIGUSR2', () => { for (let n = 0; n < ${count}; n++) process.emitWarning('${CANARY}', { code: 'W' + n }); });`;

  test('contains the warnings of Node, without their messages', async () => {
    const service = await start(WARN(1), { LOG_LEVEL: 'warn' });
    service.signal('SIGUSR2');
    await until(() => logOf(service).length > 0, 'the warning is logged');
    expect(JSON.parse(logOf(service)[0]!)).toMatchObject({ level: 40, reason: 'W0', error: { name: 'Warning' } });
    expect(service.output).not.toContain(CANARY);
  });

  test('S26 may be read by nobody without an effect on the service', async () => {
    const service = await start(WARN(400), { LOG_LEVEL: 'warn' });
    service.closeOutput();
    service.signal('SIGUSR2');
    const visitor = await Visitor.arrive(service, DEMO);
    expect(await visitor.ask('session:check', {})).toMatchObject({ ok: true });
    visitor.socket.disconnect();
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 0, signal: null });
  });

  test('S26 may be read slowly without blocking the service', async () => {
    // More than a pipe of the operating system holds.
    const service = await start(
      `process.on('SIGUSR2', () => { Error.stackTraceLimit = 60; deep(40); });
       const deep = (depth) => { if (depth > 0) return deep(depth - 1) ?? 0; for (let n = 0; n < 490; n++) process.emitWarning('', { code: 'W' + n }); return 0; };`,
      { LOG_LEVEL: 'warn' },
    );
    service.stopReading();
    service.signal('SIGUSR2');
    const visitor = await Visitor.arrive(service, DEMO);
    expect(await visitor.ask('session:check', {})).toMatchObject({ ok: true });
    expect(await isAnswering(service)).toBe(true);
    service.resumeReading();
    await until(() => logOf(service).length > 100, 'what was written is read');
    visitor.socket.disconnect();
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 0, signal: null });
  });
});

test('passerby-api on an outdated Node fails with one sentence', async () => {
  const bin = fileURLToPath(new URL('../bin/passerby-api.js', import.meta.url));
  const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`;
  const preload = `data:text/javascript,${encodeURIComponent(older)}`;
  let said = '';
  try {
    execFileSync(process.execPath, [`--import=${preload}`, bin], { stdio: 'pipe', encoding: 'utf8', timeout: 60_000 });
  } catch (error) {
    said = (error as { stderr: string }).stderr;
  }
  expect(said).toMatch(/^Passerby needs Node 22\.14 or later; this is 20\.20\.2 \(.+\)\.\n$/);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
