import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { RECORDS_BOUNDS } from './bounds.ts';
import { BoundedPool } from './postgres-pool.ts';
import { openRecords } from './records.ts';

/** A message of PostgreSQL's protocol. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.from(`${type}    `);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const int32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer).reverse();
/** Authentication message of a kind; 0 is AuthenticationOk. */
const authentication = (kind: number) => message('R', int32(kind));
const READY = message('Z', Buffer.from('I'));
/** DataRow with one value that is shorter than its length field says. */
const TORN_ROW = message('D', Buffer.concat([Buffer.of(0, 2), int32(1_000), Buffer.from('abc')]));

/** Server that poses as PostgreSQL, and answers the first message, the second and so on with these bytes. */
async function startAnswering(...answers: readonly Buffer[]): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((socket) => {
    const left = [...answers];
    socket.on('error', () => undefined);
    socket.on('data', () => void socket.write(left.shift() ?? ''));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `postgres://user:password@127.0.0.1:${(server.address() as AddressInfo).port}/records`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

const UNREADABLE = { code: 'unavailable', reason: 'UNREADABLE_ANSWER' };

// What is thrown while an answer is read is an uncaught exception, which fails the whole run.
describe('connection to PostgreSQL', () => {
  it.each([
    ['Kerberos', 2],
    ['GSSAPI', 7],
    ['SSPI', 9],
  ])('fails with a reason if the server asks for %s', async (_, kind) => {
    await using server = await startAnswering(authentication(kind));
    const failures: string[] = [];
    const pool = new BoundedPool(server.url, { bounds: RECORDS_BOUNDS, failed: (reason) => failures.push(reason) });
    await expect(pool.connect()).rejects.toMatchObject(UNREADABLE);
    expect(failures).toEqual(['UNREADABLE_ANSWER']);
    await pool.end();
  });

  it('fails with a reason on a truncated row, and is not used again', async () => {
    await using server = await startAnswering(Buffer.concat([authentication(0), READY]), TORN_ROW);
    const pool = new BoundedPool(server.url, { bounds: RECORDS_BOUNDS });
    for (let connection = 0; connection < 2; connection++) {
      const lent = await pool.connect();
      await expect(lent.query('select 1', [])).rejects.toMatchObject(UNREADABLE);
      lent.release();
    }
    await pool.end();
  });

  it('fails a start with a message', async () => {
    await using server = await startAnswering(authentication(7));
    await expect(openRecords({ kind: 'postgres', url: server.url }, systemClock)).rejects.toThrow(
      /^DATABASE_URL: its host is not PostgreSQL, or requires another .* \(UNREADABLE_ANSWER\)$/,
    );
  });
});
