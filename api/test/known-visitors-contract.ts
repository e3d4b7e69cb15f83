import { TIMES, type ConversationId, type RequestId, type ResumeToken } from '@passerby/sdk/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ticketFrom } from '../src/matching/ticket.ts';
import type { SessionRef } from '../src/domain/session.ts';
import type { VisitorFingerprint } from '../src/domain/visitor-fingerprint.ts';
import type { StateStore } from '../src/state/state-store.ts';
import { FREE } from './harness.ts';
import { fingerprintFrom } from './fingerprints.ts';
import { NODES, SITE, type StoreUnderTest } from './store-contract.ts';

const NODE = NODES[0]!;

/** Contract of the stores for known visitors: their consent, and the subject of a report. */
export function describeKnownVisitors(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: StateStore;
    let count = 0;
    beforeEach(async () => {
      under = await create();
      store = under.store;
    });
    afterEach(() => under.close());

    const token = () => `r_${`known${++count}`.padEnd(22, '0')}` as ResumeToken;
    const ticket = () => ticketFrom({ requestId: `request-${++count}` as RequestId });
    const open = async (fingerprint: VisitorFingerprint, resume = token()) =>
      (await store.open(SITE, NODE, resume, fingerprint)).session;
    const meet = async (a: SessionRef, b: SessionRef): Promise<ConversationId> => {
      await store.find(a, ticket(), FREE);
      const { notices } = await store.find(b, ticket(), FREE);
      const started = notices.find((notice) => notice.kind === 'started')!;
      await store.confirm(a, started.seat.conversationId);
      await store.confirm(b, started.seat.conversationId);
      return started.seat.conversationId;
    };

    describe('consent', () => {
      test('is empty at first; each part is kept, through a resume too', async () => {
        const resume = token();
        const session = await open(fingerprintFrom('a'), resume);
        expect(await store.agree(session, {})).toEqual({ rules: null, ageBand: null });
        expect(await store.agree(session, { rules: 'v1' })).toEqual({ rules: 'v1', ageBand: null });
        expect(await store.agree(session, { ageBand: '18+' })).toEqual({ rules: 'v1', ageBand: '18+' });
        const back = await store.resume(SITE, NODE, resume, token(), FREE, fingerprintFrom('a'));
        expect(back).toMatchObject({ kind: 'resumed', agreed: { rules: 'v1', ageBand: '18+' } });
      });

      test('binds an age band to the session: another one is refused, the same again is not', async () => {
        const session = await open(fingerprintFrom('a'));
        await store.agree(session, { ageBand: '13-17' });
        await expect(store.agree(session, { ageBand: '18+' })).rejects.toMatchObject({ code: 'age_band_fixed' });
        expect(await store.agree(session, { ageBand: '13-17', rules: 'v2' })).toEqual({
          rules: 'v2',
          ageBand: '13-17',
        });
      });

      test('is refused to a superseded socket', async () => {
        const resume = token();
        const session = await open(fingerprintFrom('a'), resume);
        await store.resume(SITE, NODE, resume, token(), FREE, fingerprintFrom('a'));
        await expect(store.agree(session, { rules: 'v1' })).rejects.toMatchObject({ code: 'session_gone' });
      });
    });

    describe('subject of a report', () => {
      test('is the peer, by their fingerprint at the match', async () => {
        const [a, b] = [await open(fingerprintFrom('a')), await open(fingerprintFrom('b', 'ban-b'))];
        const id = await meet(a, b);
        expect(await store.reported(a, id)).toEqual({
          peer: fingerprintFrom('b', 'ban-b'),
          own: fingerprintFrom('a'),
          isConfirmed: true,
        });
        expect(await store.reported(b, id)).toEqual({
          peer: fingerprintFrom('a'),
          own: fingerprintFrom('b', 'ban-b'),
          isConfirmed: true,
        });
      });

      test('is the peer by their last fingerprint; the reporter is identified by their first', async () => {
        const resumes = [token(), token()] as const;
        const [a, b] = [await open(fingerprintFrom('a'), resumes[0]), await open(fingerprintFrom('b'), resumes[1])];
        const id = await meet(a, b);
        const back = [];
        for (const [index, resume] of resumes.entries()) {
          const outcome = await store.resume(SITE, NODE, resume, token(), FREE, fingerprintFrom(`elsewhere ${index}`));
          if (outcome.kind === 'resumed') back.push(outcome.session);
        }
        expect(await store.reported(back[0]!, id)).toMatchObject({
          peer: fingerprintFrom('elsewhere 1'),
          own: fingerprintFrom('a'),
        });
        expect(await store.reported(back[1]!, id)).toMatchObject({
          peer: fingerprintFrom('elsewhere 0'),
          own: fingerprintFrom('b'),
        });
      });

      test('S33 is returned with whether both confirmed the match, also after the end', async () => {
        const [a, b] = [await open(fingerprintFrom('a')), await open(fingerprintFrom('b'))];
        await store.find(a, ticket(), FREE);
        const { notices } = await store.find(b, ticket(), FREE);
        const id = notices.find((notice) => notice.kind === 'started')!.seat.conversationId;
        expect(await store.reported(a, id)).toMatchObject({ isConfirmed: false });
        await store.confirm(a, id);
        expect(await store.reported(a, id)).toMatchObject({ isConfirmed: false });
        await store.confirm(b, id);
        expect(await store.reported(a, id)).toMatchObject({ isConfirmed: true });
        await store.leave(b, id, null, FREE);
        expect(await store.reported(a, id)).toMatchObject({ isConfirmed: true });
      });

      test('S33 is not confirmed by a confirmation after the end', async () => {
        const [a, b] = [await open(fingerprintFrom('a')), await open(fingerprintFrom('b'))];
        await store.find(a, ticket(), FREE);
        const { notices } = await store.find(b, ticket(), FREE);
        const id = notices.find((notice) => notice.kind === 'started')!.seat.conversationId;
        await store.confirm(a, id);
        await store.leave(a, id, null, FREE);
        await store.confirm(b, id);
        expect(await store.reported(a, id)).toMatchObject({ isConfirmed: false });
      });

      test('S32 includes the wider networks of both', async () => {
        const wide = (address: string): VisitorFingerprint => ({
          ...fingerprintFrom(address),
          wider: ['/56', '/48'] as VisitorFingerprint['address'][],
        });
        const [a, b] = [await open(wide('a')), await open(wide('b'))];
        expect(await store.reported(a, await meet(a, b))).toMatchObject({ peer: wide('b'), own: wide('a') });
      });

      test('is known until fifteen minutes after the end, also if they closed their session', async () => {
        const [a, b] = [await open(fingerprintFrom('a')), await open(fingerprintFrom('b'))];
        const id = await meet(a, b);
        await store.close(b);
        await under.advance(TIMES.reportMs - 1_000);
        await store.sweep(SITE, NODE, FREE, 50);
        expect(await store.reported(a, id)).toMatchObject({ peer: fingerprintFrom('b') });
        await under.advance(1_000);
        await expect(store.reported(a, id)).rejects.toMatchObject({ code: 'not_in_conversation' });
        await store.sweep(SITE, NODE, FREE, 50);
        await expect(store.reported(a, id)).rejects.toMatchObject({ code: 'not_in_conversation' });
      });

      test('is known of the conversation before the last one', async () => {
        const [a, b, c] = [
          await open(fingerprintFrom('a')),
          await open(fingerprintFrom('b')),
          await open(fingerprintFrom('c')),
        ];
        const first = await meet(a, b);
        await store.leave(a, first, null, FREE);
        const second = await meet(a, c);
        expect(await store.reported(a, first)).toMatchObject({ peer: fingerprintFrom('b') });
        expect(await store.reported(a, second)).toMatchObject({ peer: fingerprintFrom('c') });
      });

      test('is unknown to others, and for a conversation that never existed', async () => {
        const [a, b, c] = [
          await open(fingerprintFrom('a')),
          await open(fingerprintFrom('b')),
          await open(fingerprintFrom('c')),
        ];
        const id = await meet(a, b);
        await expect(store.reported(c, id)).rejects.toMatchObject({ code: 'not_in_conversation' });
        await expect(store.reported(a, 'c_never' as ConversationId)).rejects.toMatchObject({
          code: 'not_in_conversation',
        });
      });

      test('is known for as long as the conversation runs', async () => {
        const [a, b] = [await open(fingerprintFrom('a')), await open(fingerprintFrom('b'))];
        const id = await meet(a, b);
        await under.advance(TIMES.reportMs * 2);
        await store.heartbeat(SITE, NODE);
        await store.sweep(SITE, NODE, FREE, 50);
        expect(await store.reported(a, id)).toMatchObject({ peer: fingerprintFrom('b') });
      });
    });
  });
}
