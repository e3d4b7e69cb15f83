import { describe, expect, test } from 'vitest';
import type { App } from '../src/app.ts';
import { startAdminService, OPERATOR_TOKEN } from './admin/admin-service.ts';
import { assertTalking, listLog, pairOf, startTestApp, until } from './harness.ts';
import { descriptorCount, GOINGS, hostileInputs, inCrowds, pathsOf, sendAndGo } from './http-hostile.ts';
import { RawConnection, head } from './bounds/raw-connection.ts';
import { ServiceProcess } from '../../.config/test/service-process.ts';

/** Timeouts for silent connections, short for a test. */
const SHORT = { headMs: 400, requestMs: 400, overdueCheckMs: 50, keepAliveMs: 400, stillMs: 400 };
const DOWNLOAD = head('GET /passerby-chat.js', []);
const UPGRADE = head('GET /elsewhere', ['Connection: Upgrade', 'Upgrade: websocket']);

const portOf = (url: string | null) => Number(new URL(url!).port);
const portsOf = (app: App) => [portOf(app.url), portOf(app.metricsUrl)];

/** Resolves once no more descriptors are open than before. */
const untilReturned = (before: number) => until(() => descriptorCount() <= before, 'every descriptor is closed again');

describe('S24 broken connection', () => {
  test('during any request, on either port, ends only itself and leaks nothing', async () => {
    const log = listLog();
    await using app = await startTestApp({ config: { METRICS_PORT: 0 }, bounds: SHORT, log });
    await using pair = await pairOf(app);
    await assertTalking(pair, 1);
    const inputs = hostileInputs(pathsOf(app.routes), OPERATOR_TOKEN);
    const before = descriptorCount();
    for (const going of GOINGS) {
      for (const port of portsOf(app)) await inCrowds(inputs.length, (n) => sendAndGo(port, inputs[n]![1], going));
    }
    await untilReturned(before);
    await assertTalking(pair, 2);
    expect(log.lines).toEqual([]);
  });

  test('during a download or an upgrade, hundreds of times, leaks no descriptor', async () => {
    const log = listLog();
    await using app = await startTestApp({ config: { METRICS_PORT: 0 }, bounds: SHORT, log });
    await using pair = await pairOf(app);
    const [port, metricsPort] = portsOf(app) as [number, number];
    const before = descriptorCount();
    await inCrowds(400, (n) => sendAndGo(port, DOWNLOAD, n % 2 === 0 ? 'reset' : 'reset while read'));
    await inCrowds(400, (n) => sendAndGo(n % 2 === 0 ? port : metricsPort, UPGRADE, 'reset'));
    await untilReturned(before);
    await assertTalking(pair, 1);
    expect(log.lines).toEqual([]);
  });

  test('is counted if its answer was in progress', async () => {
    await using app = await startTestApp();
    await inCrowds(100, () => sendAndGo(portOf(app.url), DOWNLOAD, 'reset'));
    await until(() => app.metrics.countOf('passerby_incidents_total', { kind: 'answer_aborted' }) > 0, 'it is counted');
  });
});

describe('S24 downloading client', () => {
  test.each<[string, (connection: RawConnection) => void]>([
    ['and closes its side', (connection) => connection.end()],
    ['and never reads', (connection) => connection.stopReading()],
    ['and asks for nothing more', () => undefined],
  ])('%s, is closed in time', async (_, then) => {
    await using app = await startTestApp({ bounds: SHORT });
    await using pair = await pairOf(app);
    const before = descriptorCount();
    const connections = await Promise.all(Array.from({ length: 40 }, () => RawConnection.open(app)));
    for (const connection of connections) {
      connection.write(DOWNLOAD);
      then(connection);
    }
    // One end of each is this test's own.
    await until(() => descriptorCount() <= before + connections.length, 'the service has closed them');
    await assertTalking(pair, 1);
    for (const connection of connections) await connection[Symbol.asyncDispose]();
    await untilReturned(before);
  });

  test('gets the whole file after it closed its side', async () => {
    await using app = await startTestApp();
    await using connection = await RawConnection.open(app);
    connection.write(DOWNLOAD);
    connection.end();
    await until(() => connection.isClosed, 'it is closed');
    const [, length] = /Content-Length: (\d+)/.exec(connection.received)!;
    expect(connection.received.length - connection.received.indexOf('\r\n\r\n') - 4).toBe(Number(length));
  });
});

describe('S26 log', () => {
  test.each(['silent', 'info'])('has no line for any input at LOG_LEVEL=%s', async (level) => {
    await using admin = await startAdminService();
    const inputs = hostileInputs(pathsOf(admin.app.routes), OPERATOR_TOKEN);
    const env = {
      LOG_LEVEL: level,
      OPERATOR_TOKEN,
      METRICS_TOKEN: OPERATOR_TOKEN,
      SECURITY_CONTACT: 'mailto:a@b.example',
    };
    await using service = await ServiceProcess.start(env);
    const port = portOf(service.url);
    for (const going of GOINGS) await inCrowds(inputs.length, (n) => sendAndGo(port, inputs[n]![1], going));
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 0, signal: null });
    expect(service.output.trim().split('\n')).toEqual([expect.stringMatching(/^Passerby is at /), 'SIGTERM: draining']);
  });
});
