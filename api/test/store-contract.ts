import { TIMES, type ConversationId, type ResumeToken, type SiteKey } from '@passerby/sdk/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Criteria, RequestId } from '@passerby/sdk/protocol';
import type { NodeId, Notice, SessionRef, StateStore, Ticket } from '../src/state/state-store.ts';

/** A store under test, with its time in the test's hand. */
export interface StoreUnderTest {
  readonly store: StateStore;
  /** Moves the store's clock, as far as it can be moved. Milliseconds. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const SITE = 'pk_site' as SiteKey;
const OTHER = 'pk_other' as SiteKey;
const NODE = 'n_1' as NodeId;

/** What every store must do, whatever it stands on. */
export function describeStore(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: StateStore;
    let count = 0;
    beforeEach(async () => {
      under = await create();
      store = under.store;
    });
    afterEach(() => under.close());

    const token = () => `r_${`token${++count}`.padEnd(22, '0')}` as ResumeToken;
    const ticket = (criteria: Criteria = {}): Ticket => ({ requestId: `request-${++count}` as RequestId, ...criteria });
    const open = async (site = SITE, resume = token()) => (await store.open(site, NODE, resume)).session;
    const opened = async (site = SITE) => {
      const resume = token();
      return { session: await open(site, resume), resume };
    };
    const pair = async (criteria: Criteria = {}) => {
      const [a, b] = [await open(), await open()];
      await store.find(a, ticket(criteria));
      const { notices } = await store.find(b, ticket(criteria));
      const conversationId = startsOf(notices)[0]!.seat.conversationId;
      return { a, b, conversationId };
    };

    describe('finding', () => {
      test('I1 I2 two visitors who want anyone are paired with each other, once', async () => {
        const [a, b, c] = [await open(), await open(), await open()];
        expect(await store.find(a, ticket())).toEqual({ status: 'waiting', notices: [] });
        const { status, notices } = await store.find(b, ticket());
        expect(status).toBe('matched');
        const [first, second] = startsOf(notices);
        expect(notices).toHaveLength(2);
        expect(first).toMatchObject({ to: { sessionId: a.sessionId }, seat: { peer: { sessionId: b.sessionId } } });
        expect(second).toMatchObject({ to: { sessionId: b.sessionId }, seat: { peer: { sessionId: a.sessionId } } });
        expect(first!.seat.conversationId).toBe(second!.seat.conversationId);
        expect([first!.seat.role, second!.seat.role].sort()).toEqual(['answerer', 'offerer']);
        expect(await store.find(c, ticket())).toEqual({ status: 'waiting', notices: [] });
      });

      test('I3 nobody meets themselves, however often they ask', async () => {
        const a = await open();
        for (let n = 0; n < 3; n++) expect((await store.find(a, ticket())).status).toBe('waiting');
      });

      test('I4 nobody is matched across sites', async () => {
        await store.find(await open(SITE), ticket());
        expect((await store.find(await open(OTHER), ticket())).status).toBe('waiting');
      });

      test.each([
        ['one seeks what the other is not', { is: 'a', seeks: ['b'] }, { is: 'a', seeks: ['a'] }],
        ['one seeks and the other says nothing', { seeks: ['b'] }, {}],
        ['only one way', { is: 'a', seeks: ['b'] }, { is: 'b', seeks: ['c'] }],
      ] as const)('I4 hard rules hold both ways: %s', async (_, one, two) => {
        await store.find(await open(), ticket(one));
        expect((await store.find(await open(), ticket(two))).status).toBe('waiting');
      });

      test('I4 who is sought and seeks back is found, behind others who are not', async () => {
        await store.find(await open(), ticket({ is: 'c' }));
        const a = await open();
        await store.find(a, ticket({ is: 'a', seeks: ['b'] }));
        const { notices } = await store.find(await open(), ticket({ is: 'b', seeks: ['a'] }));
        expect(startsOf(notices)[0]!.to.sessionId).toBe(a.sessionId);
      });

      test('the longest waiter is met first', async () => {
        const [a, b] = [await open(), await open()];
        await store.find(a, ticket({ is: 'a', seeks: ['x'] }));
        await under.advance(10);
        await store.find(b, ticket({ is: 'b', seeks: ['x'] }));
        const { notices } = await store.find(await open(), ticket({ is: 'x' }));
        expect(startsOf(notices)[0]!.to.sessionId).toBe(a.sessionId);
      });

      test('I6 asking again with the same id is the same wait, and the same match', async () => {
        const [a, b] = [await open(), await open()];
        const wait = ticket();
        await store.find(a, wait);
        expect((await store.find(a, wait)).status).toBe('waiting');
        await store.find(b, ticket());
        expect((await store.find(a, wait)).status).toBe('matched');
      });

      test('looking again with other words changes what is looked for', async () => {
        const [a, b] = [await open(), await open()];
        await store.find(a, ticket({ seeks: ['x'] }));
        await store.find(b, ticket({ is: 'y' }));
        expect((await store.find(a, ticket({ seeks: ['y'] }))).status).toBe('matched');
      });

      test('I1 who is in a conversation cannot look for another', async () => {
        const { a } = await pair();
        await expect(store.find(a, ticket())).rejects.toMatchObject({ code: 'already_in_conversation' });
      });

      test('what two share is the intersection only', async () => {
        await store.find(await open(), ticket({ interests: ['jazz', 'go', 'tea'], topic: '/a' }));
        const { notices } = await store.find(
          await open(),
          ticket({ interests: ['tea', 'chess', 'jazz'], topic: '/a' }),
        );
        for (const { seat } of startsOf(notices)) {
          expect(seat.shared).toEqual({ interests: ['jazz', 'tea'], isSameTopic: true });
        }
      });
    });

    describe('cancelling', () => {
      test('takes the visitor out of the line', async () => {
        const a = await open();
        await store.find(a, ticket());
        expect(await store.cancel(a)).toEqual({ status: 'cancelled', notices: [] });
        expect((await store.find(await open(), ticket())).status).toBe('waiting');
      });

      test('after a match comes too late, and says so', async () => {
        const { a } = await pair();
        expect((await store.cancel(a)).status).toBe('already_matched');
      });
    });

    describe('leaving', () => {
      test('I10 ends it once for each side, with whose doing it was', async () => {
        const { a, b, conversationId } = await pair();
        const { notices, next } = await store.leave(a, conversationId, null);
        expect(next).toBeNull();
        expect(endsOf(notices)).toEqual([
          [a.sessionId, 'you_left'],
          [b.sessionId, 'peer_left'],
        ]);
        expect((await store.leave(a, conversationId, null)).notices).toEqual([]);
        expect((await store.leave(b, conversationId, null)).notices).toEqual([]);
      });

      test('with next waits again in the same step', async () => {
        const { a, b, conversationId } = await pair();
        const { next, notices } = await store.leave(a, conversationId, ticket());
        expect(next).toBe('waiting');
        expect(endsOf(notices)).toHaveLength(2);
        expect((await store.find(b, ticket())).status).toBe('matched');
      });

      test('both skip at once: both are in line again, nobody is stuck', async () => {
        const { a, b, conversationId } = await pair();
        const [one, two] = await Promise.all([
          store.leave(a, conversationId, ticket()),
          store.leave(b, conversationId, ticket()),
        ]);
        expect(endsOf([...one.notices, ...two.notices])).toHaveLength(2);
        expect([one.next, two.next].sort()).toEqual(['matched', 'waiting']);
      });

      test('a conversation that is over does not touch the present one', async () => {
        const { a, conversationId } = await pair();
        await store.leave(a, conversationId, ticket());
        await store.find(await open(), ticket());
        expect((await store.leave(a, conversationId, null)).notices).toEqual([]);
        expect((await store.cancel(a)).status).toBe('already_matched');
      });
    });

    describe('blocking', () => {
      test.each(['the one who blocked', 'the one who was blocked'] as const)(
        'I5 the two never meet again, also when %s looks first',
        async (who) => {
          const { a, b, conversationId } = await pair();
          const { notices } = await store.block(a, conversationId);
          expect(endsOf(notices)).toEqual([
            [a.sessionId, 'you_left'],
            [b.sessionId, 'peer_left'],
          ]);
          const [first, second] = who === 'the one who blocked' ? [a, b] : [b, a];
          await store.find(first, ticket());
          expect((await store.find(second, ticket())).status).toBe('waiting');
          const { notices: starts } = await store.find(await open(), ticket());
          expect(startsOf(starts)[0]!.to.sessionId).toBe(first.sessionId);
        },
      );

      test('I5 works after the end, and outlives a resume', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await store.find(a, ticket());
        const { conversationId } = startsOf((await store.find(b, ticket())).notices)[0]!.seat;
        await store.leave(b, conversationId, null);
        await store.block(a, conversationId);
        const outcome = await store.resume(SITE, NODE, resume, token());
        if (outcome.kind !== 'resumed') throw new Error('not resumed');
        await store.find(outcome.session, ticket());
        expect((await store.find(b, ticket())).status).toBe('waiting');
      });

      test('is refused for a conversation that was never theirs', async () => {
        const { conversationId } = await pair();
        await expect(store.block(await open(), conversationId)).rejects.toMatchObject({ code: 'not_in_conversation' });
      });
    });

    describe('coming back', () => {
      test('I11 one token works once, and the old fence does nothing from then on', async () => {
        const { session, resume } = await opened();
        const [one, two] = await Promise.all([
          store.resume(SITE, NODE, resume, token()),
          store.resume(SITE, NODE, resume, token()),
        ]);
        expect([one.kind, two.kind].sort()).toEqual(['resumed', 'unknown']);
        await expect(store.find(session, ticket())).rejects.toMatchObject({ code: 'session_gone' });
        await store.suspend(session);
        await store.close(session);
        expect(await store.online(SITE)).toBe(1);
      });

      test('a token is of its site', async () => {
        const { resume } = await opened();
        expect(await store.resume(OTHER, NODE, resume, token())).toEqual({ kind: 'unknown' });
      });

      test('finds the conversation as it was, and the peer hears of going and coming', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await store.find(a, ticket());
        await store.find(b, ticket());
        expect((await store.suspend(a)).notices).toMatchObject([
          { kind: 'presence', presence: 'away', to: { sessionId: b.sessionId } },
        ]);
        const outcome = await store.resume(SITE, 'n_2' as NodeId, resume, token());
        expect(outcome).toMatchObject({
          state: { status: 'chatting', peer: 'here' },
          seat: { peer: { sessionId: b.sessionId } },
          previous: { nodeId: NODE },
          notices: [{ kind: 'presence', presence: 'here', peer: { nodeId: 'n_2' }, to: { sessionId: b.sessionId } }],
        });
      });

      test('who is away is matched with nobody, and is matched on coming back', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await store.find(a, ticket());
        await store.suspend(a);
        expect((await store.find(b, ticket())).status).toBe('waiting');
        const outcome = await store.resume(SITE, NODE, resume, token());
        expect(outcome).toMatchObject({ kind: 'resumed', state: { status: 'chatting' } });
        if (outcome.kind === 'resumed') expect(startsOf(outcome.notices)).toHaveLength(2);
      });

      test('after the grace period the session is over and the peer is told it was lost', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await store.find(a, ticket());
        await store.find(b, ticket());
        await store.suspend(a);
        await under.advance(TIMES.graceMs - 1);
        expect((await store.sweep(10)).notices).toEqual([]);
        await under.advance(1);
        expect(await store.resume(SITE, NODE, resume, token())).toEqual({ kind: 'unknown' });
        expect(endsOf((await store.sweep(10)).notices)).toContainEqual([b.sessionId, 'peer_lost']);
        expect((await store.sweep(10)).notices).toEqual([]);
      });

      test('a sweep closes no more than it is told to', async () => {
        for (let n = 0; n < 3; n++) await store.suspend((await pair()).a);
        await under.advance(TIMES.graceMs);
        expect(lostOf((await store.sweep(2)).notices)).toHaveLength(2);
        expect(lostOf((await store.sweep(2)).notices)).toHaveLength(1);
      });
    });

    describe('closing', () => {
      test('forgets the visitor, ends the conversation and voids the token', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await store.find(a, ticket());
        await store.find(b, ticket());
        expect(endsOf((await store.close(a)).notices)).toContainEqual([b.sessionId, 'peer_left']);
        expect(await store.resume(SITE, NODE, resume, token())).toEqual({ kind: 'unknown' });
        await expect(store.find(a, ticket())).rejects.toMatchObject({ code: 'session_gone' });
        expect((await store.close(a)).notices).toEqual([]);
      });

      test('takes a waiting visitor out of the line', async () => {
        const a = await open();
        await store.find(a, ticket());
        await store.close(a);
        expect((await store.find(await open(), ticket())).status).toBe('waiting');
      });
    });

    test('the service ends a conversation for both sides, once', async () => {
      const { a, b, conversationId } = await pair();
      expect(endsOf((await store.end(SITE, conversationId, 'idle')).notices)).toEqual([
        [a.sessionId, 'idle'],
        [b.sessionId, 'idle'],
      ]);
      expect((await store.end(SITE, conversationId, 'idle')).notices).toEqual([]);
      expect((await store.end(SITE, 'c_unknown' as ConversationId, 'idle')).notices).toEqual([]);
    });

    test('I13 the online count is of connected sessions', async () => {
      const [a, b] = [await open(), await open()];
      await open(OTHER);
      expect(await store.online(SITE)).toBe(2);
      await store.suspend(a);
      await store.suspend(a);
      expect(await store.online(SITE)).toBe(1);
      await store.close(a);
      await store.close(b);
      expect(await store.online(SITE)).toBe(0);
    });

    test('every request of an unknown session is refused', async () => {
      const ghost = { ...(await open()), sessionId: 's_ghost' } as SessionRef;
      const conversationId = 'c_unknown' as ConversationId;
      for (const attempt of [
        () => store.find(ghost, ticket()),
        () => store.cancel(ghost),
        () => store.leave(ghost, conversationId, null),
        () => store.block(ghost, conversationId),
      ]) {
        await expect(attempt()).rejects.toMatchObject({ code: 'session_gone' });
      }
    });
  });
}

function startsOf(notices: readonly Notice[]) {
  return notices.filter((notice) => notice.kind === 'started');
}

function endsOf(notices: readonly Notice[]) {
  return notices.filter((notice) => notice.kind === 'ended').map(({ to, reason }) => [to.sessionId, reason]);
}

function lostOf(notices: readonly Notice[]) {
  return endsOf(notices).filter(([, reason]) => reason === 'peer_lost');
}
