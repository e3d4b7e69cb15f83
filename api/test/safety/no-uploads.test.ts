import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { pairOf, siteOf, SHOP, startTestApp, until, FREE, assertTalking } from '../harness.ts';

const FILE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

describe('S11 malicious uploads', () => {
  test.each(['/', '/upload', '/uploads', '/v1/site', '/healthz', '/widget.js'])(
    'no route accepts a file: %s refuses it by every method',
    async (address) => {
      await using app = await startTestApp();
      for (const method of ['POST', 'PUT', 'PATCH']) {
        const form = new FormData();
        form.set('file', new Blob([FILE], { type: 'image/png' }), 'a.png');
        const answer = await fetch(app.url + address, { method, body: form });
        expect([404, 405], method).toContain(answer.status);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
      }
    },
  );

  test('a binary frame closes its connection, and never reaches the peer', async () => {
    await using app = await startTestApp({ siteList: [siteOf(SHOP.key, undefined, {}, FREE)] });
    await using pair = await pairOf(app);
    await using other = await pairOf(app);
    const { a, b, conversationId } = pair;
    const body = { kind: 'image', bytes: FILE };
    a.socket.emit('conversation:frame', { conversationId, run: 'run', seq: 1, ack: 0, body });
    await until(() => !a.socket.connected, 'the connection is closed');
    expect(b.all('conversation:frame')).toEqual([]);
    await assertTalking(other, 1);
  });
});

/** Returns every module that a browser may load, as served. */
function builtFiles(): readonly string[] {
  const dist = path.join(import.meta.dirname, '../../../widget/dist');
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(path.join(dist, file), 'utf8'));
}

describe('code served to the widget', () => {
  test('S12 opens no peer connection that could reveal an address to the other side', () => {
    const files = builtFiles();
    expect(files.join('')).toContain('passerby');
    for (const text of files) expect(text).not.toMatch(/RTCPeerConnection|RTCDataChannel/);
  });

  test('S15 listens to no message of another window, and sends none to one', () => {
    for (const text of builtFiles()) {
      expect(text).not.toMatch(/addEventListener\(\s*["'`]message["'`]/);
      expect(text).not.toMatch(/\b(parent|opener|top)\.postMessage/);
    }
  });
});
