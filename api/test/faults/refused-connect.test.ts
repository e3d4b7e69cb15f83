import { createChat, type ChatError } from '@passerby/sdk';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/errors.ts';
import { VisitorAuthenticator } from '../../src/admission/visitor-authenticator.ts';
import { ORIGIN, SHOP, siteOf, startTestApp, until } from '../harness.ts';

const NEEDS_CLAIMS = { ...siteOf(SHOP.key), guard: { ...SHOP.guard, isClaimsNeeded: true } };

describe('S29 the SDK after a refused CONNECT', () => {
  test('reports the reason, and gives up if a retry is useless', async () => {
    await using app = await startTestApp({ siteList: [NEEDS_CLAIMS] });
    await using chat = createChat({ url: app.url, site: SHOP.key, origin: ORIGIN });
    await expect(chat.find()).rejects.toMatchObject({ code: 'claims_refused' } satisfies Partial<ChatError>);
    await until(() => app.held().connections === 0, 'the connection is closed');
    expect(app.metrics.countOf('passerby_refusals_total', { door: 'handshake', code: 'claims_refused' })).toBe(1);
  });

  test('retries after the announced time otherwise', async () => {
    const { admitConnect } = VisitorAuthenticator.prototype;
    let refusals = 2;
    VisitorAuthenticator.prototype.admitConnect = function (address) {
      if (refusals-- > 0) return Promise.reject(new Refusal('rate_limited', { retryAfterMs: 20 }));
      return admitConnect.call(this, address);
    };
    try {
      await using app = await startTestApp();
      await using chat = createChat({ url: app.url, site: SHOP.key, origin: ORIGIN });
      await chat.find();
      await expect.poll(() => chat.snapshot().state.status).toBe('waiting');
      expect(app.metrics.countOf('passerby_refusals_total', { door: 'handshake', code: 'rate_limited' })).toBe(2);
      expect(app.held().connections).toBe(1);
    } finally {
      VisitorAuthenticator.prototype.admitConnect = admitConnect;
    }
  });
});
