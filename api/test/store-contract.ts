import { FINGERPRINT, fingerprintFrom } from './fingerprints.ts';
import { TIMES, type ConversationId, type ResumeToken } from '@passerby/sdk/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Criteria, RequestId } from '@passerby/sdk/protocol';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../src/matching/rules.ts';
import { type Ticket, ticketFrom } from '../src/matching/ticket.ts';
import type { NodeId, SiteId } from '../src/domain/ids.ts';
import type { Notice } from '../src/domain/notice.ts';
import type { SessionRef } from '../src/domain/session.ts';
import type { VisitorFingerprint } from '../src/domain/visitor-fingerprint.ts';
import type { StateStore } from '../src/state/state-store.ts';
import { FREE } from './harness.ts';

/**
 * Time before an event is due in which it must not happen: longer than the calls in between take on a slow machine.
 * Milliseconds.
 */
const SLACK_MS = 20_000;

/** Store under test, with a clock under the test's control. */
export interface StoreUnderTest {
  readonly store: StateStore;
  /** Advances the store's clock, as far as possible. Milliseconds. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

export const SITE = 'site_site' as SiteId;
const OTHER = 'site_other' as SiteId;
/** Nodes of the contract; all of them are alive. */
export const NODES = ['n_1', 'n_2'] as NodeId[];
const NODE = NODES[0]!;
/** Repair that found nothing lost. */
const UNHARMED = { notices: [], isMore: false, isElsewhere: false, mended: {}, areCountsAtOdds: false };

/** Contract of every state store. */
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
    const ticket = (criteria: Criteria = {}): Ticket =>
      ticketFrom({ requestId: `request-${++count}` as RequestId, ...criteria });
    const find = (session: SessionRef, wanted: Ticket, rules = FREE) => store.find(session, wanted, rules);
    const leave = (session: SessionRef, id: ConversationId, next: Ticket | null, rules = FREE) =>
      store.leave(session, id, next, rules);
    const resumeWith = (presented: ResumeToken, { site = SITE, node = NODE, rules = FREE } = {}) =>
      store.resume(site, node, presented, token(), rules, FINGERPRINT);
    const resumeTo = async (presented: ResumeToken, next: ResumeToken) => {
      const outcome = await store.resume(SITE, NODE, presented, next, FREE, FINGERPRINT);
      if (outcome.kind !== 'resumed') throw new Error('not resumed');
      return outcome.session;
    };
    const sweep = (max = 50, rules = FREE) => store.sweep(SITE, NODE, rules, max);
    const open = async (site = SITE, resume = token()) => (await store.open(site, NODE, resume, FINGERPRINT)).session;
    const opened = async (site = SITE) => {
      const resume = token();
      return { session: await open(site, resume), resume };
    };
    /** Two matched visitors who have not confirmed yet. */
    const claimed = async () => {
      const [{ session: a, resume }, b] = [await opened(), await open()];
      await find(a, ticket());
      const { notices } = await find(b, ticket());
      return { a, b, resume, conversationId: startsOf(notices)[0]!.seat.conversationId };
    };
    const pair = async () => {
      const match = await claimed();
      await store.confirm(match.a, match.conversationId);
      await store.confirm(match.b, match.conversationId);
      return match;
    };

    describe('repair', () => {
      test('sends no notice and changes nothing without a loss', async () => {
        const { a, conversationId } = await pair();
        const waiting = await open();
        await find(waiting, ticket({ seeks: ['nobody'] }));
        await sweep();
        expect(await store.repair(SITE, NODE, 100)).toEqual(UNHARMED);
        expect((await store.leave(a, conversationId, null, FREE)).notices).toHaveLength(2);
        expect(await store.survey(waiting)).not.toBeNull();
        expect(await store.online(SITE)).toBe(3);
      });
    });

    describe('find', () => {
      test('I1 I2 matches two visitors without criteria with each other, once', async () => {
        const [a, b, c] = [await open(), await open(), await open()];
        expect(await find(a, ticket())).toEqual({ status: 'waiting', notices: [] });
        const { status, notices } = await find(b, ticket());
        expect(status).toBe('matched');
        const [first, second] = startsOf(notices);
        expect(notices).toHaveLength(2);
        expect(first).toMatchObject({ to: { sessionId: a.sessionId }, seat: { peer: { sessionId: b.sessionId } } });
        expect(second).toMatchObject({ to: { sessionId: b.sessionId }, seat: { peer: { sessionId: a.sessionId } } });
        expect(first!.seat.conversationId).toBe(second!.seat.conversationId);
        expect([first!.seat.role, second!.seat.role].sort()).toEqual(['answerer', 'offerer']);
        expect(await find(c, ticket())).toEqual({ status: 'waiting', notices: [] });
      });

      test('I3 matches nobody with themselves, however often they search', async () => {
        const a = await open();
        for (let n = 0; n < 3; n++) expect((await find(a, ticket())).status).toBe('waiting');
      });

      test('I4 matches nobody across sites', async () => {
        await find(await open(SITE), ticket());
        expect((await find(await open(OTHER), ticket())).status).toBe('waiting');
      });

      test.each([
        ['one seeks what the other is not', { is: 'a', seeks: ['b'] }, { is: 'a', seeks: ['a'] }],
        ['one seeks and the other says nothing', { seeks: ['b'] }, {}],
        ['only one way', { is: 'a', seeks: ['b'] }, { is: 'b', seeks: ['c'] }],
      ] as const)('I4 applies hard rules both ways: %s', async (_, one, two) => {
        await find(await open(), ticket(one));
        expect((await find(await open(), ticket(two))).status).toBe('waiting');
      });

      test('I4 finds a visitor of the sought group who seeks back, behind others who do not', async () => {
        await find(await open(), ticket({ is: 'c' }));
        const a = await open();
        await find(a, ticket({ is: 'a', seeks: ['b'] }));
        const { notices } = await find(await open(), ticket({ is: 'b', seeks: ['a'] }));
        expect(startsOf(notices)[0]!.to.sessionId).toBe(a.sessionId);
      });

      test('prefers the longest waiting visitor', async () => {
        const [a, b] = [await open(), await open()];
        await find(a, ticket({ is: 'a', seeks: ['x'] }));
        await under.advance(10);
        await find(b, ticket({ is: 'b', seeks: ['x'] }));
        const { notices } = await find(await open(), ticket({ is: 'x' }));
        expect(startsOf(notices)[0]!.to.sessionId).toBe(a.sessionId);
      });

      test('I6 treats a repeated id as the same wait, and the same match', async () => {
        const [a, b] = [await open(), await open()];
        const wait = ticket();
        await find(a, wait);
        expect((await find(a, wait)).status).toBe('waiting');
        await find(b, ticket());
        expect((await find(a, wait)).status).toBe('matched');
      });

      test('changes the criteria of a wait with another id', async () => {
        const [a, b] = [await open(), await open()];
        await find(a, ticket({ seeks: ['x'] }));
        await find(b, ticket({ is: 'y' }));
        expect((await find(a, ticket({ seeks: ['y'] }))).status).toBe('matched');
      });

      test('I1 is refused in a conversation', async () => {
        const { a } = await pair();
        await expect(find(a, ticket())).rejects.toMatchObject({ code: 'already_in_conversation' });
      });

      test('accepts half a surrogate pair and control characters in criteria', async () => {
        await find(await open(), ticket({ interests: ['\ud800jazz\0'], topic: '/\udc00a', is: '\ud800' }));
        const { notices } = await find(await open(), ticket({ interests: ['jazz'], topic: '/a' }));
        expect(startsOf(notices)[0]!.seat.shared).toEqual({ interests: ['jazz'], isSameTopic: true });
      });

      test('shares only the intersection of the criteria', async () => {
        await find(await open(), ticket({ interests: ['jazz', 'go', 'tea'], topic: '/a' }));
        const { notices } = await find(await open(), ticket({ interests: ['tea', 'chess', 'jazz'], topic: '/a' }));
        for (const { seat } of startsOf(notices)) {
          expect(seat.shared).toEqual({ interests: ['jazz', 'tea'], isSameTopic: true });
        }
      });
    });

    describe('cancel', () => {
      test('removes the visitor from the queue', async () => {
        const a = await open();
        await find(a, ticket());
        expect(await store.cancel(a)).toMatchObject({ status: 'cancelled', notices: [] });
        expect((await find(await open(), ticket())).status).toBe('waiting');
      });

      test('reports that it is too late after a match', async () => {
        const { a } = await pair();
        expect((await store.cancel(a)).status).toBe('already_matched');
      });
    });

    describe('leave', () => {
      test('I10 ends a conversation once for each side, with the right reason', async () => {
        const { a, b, conversationId } = await pair();
        const { notices, next } = await leave(a, conversationId, null);
        expect(next).toBeNull();
        expect(endsOf(notices)).toEqual([
          [a.sessionId, 'you_left'],
          [b.sessionId, 'peer_left'],
        ]);
        expect((await leave(a, conversationId, null)).notices).toEqual([]);
        expect((await leave(b, conversationId, null)).notices).toEqual([]);
      });

      test('waits again in the same step with `next`', async () => {
        const { a, b, conversationId } = await pair();
        const { next, notices } = await leave(a, conversationId, ticket());
        expect(next).toBe('waiting');
        expect(endsOf(notices)).toHaveLength(2);
        expect((await find(b, ticket())).status).toBe('matched');
      });

      test('puts both into the queue again if both skip at once', async () => {
        const { a, b, conversationId } = await pair();
        const [one, two] = await Promise.all([leave(a, conversationId, ticket()), leave(b, conversationId, ticket())]);
        expect(endsOf([...one.notices, ...two.notices])).toHaveLength(2);
        expect([one.next, two.next].sort()).toEqual(['matched', 'waiting']);
      });

      test('does not affect the present conversation if it names a former one', async () => {
        const { a, conversationId } = await pair();
        await leave(a, conversationId, ticket());
        await find(await open(), ticket());
        expect((await leave(a, conversationId, null)).notices).toEqual([]);
        expect((await store.cancel(a)).status).toBe('already_matched');
      });
    });

    describe('block', () => {
      test.each(['the one who blocked', 'the one who was blocked'] as const)(
        'I5 prevents another match of the two, also if %s searches first',
        async (who) => {
          const { a, b, conversationId } = await pair();
          const { notices } = await store.block(a, conversationId);
          expect(endsOf(notices)).toEqual([
            [a.sessionId, 'you_left'],
            [b.sessionId, 'peer_left'],
          ]);
          const [first, second] = who === 'the one who blocked' ? [a, b] : [b, a];
          await find(first, ticket());
          expect((await find(second, ticket())).status).toBe('waiting');
          const { notices: starts } = await find(await open(), ticket());
          expect(startsOf(starts)[0]!.to.sessionId).toBe(first.sessionId);
        },
      );

      test('I5 is possible after the end, and outlives a resume', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await find(a, ticket());
        const { conversationId } = startsOf((await find(b, ticket())).notices)[0]!.seat;
        await leave(b, conversationId, null);
        await store.block(a, conversationId);
        const outcome = await resumeWith(resume);
        if (outcome.kind !== 'resumed') throw new Error('not resumed');
        await find(outcome.session, ticket());
        expect((await find(b, ticket())).status).toBe('waiting');
      });

      test('is refused for a foreign conversation', async () => {
        const { conversationId } = await pair();
        await expect(store.block(await open(), conversationId)).rejects.toMatchObject({ code: 'not_in_conversation' });
      });
    });

    describe('resume', () => {
      test('I11 gives the session to the later of two connections with one token, and refuses old fences', async () => {
        const { session, resume } = await opened();
        const outcomes = await Promise.all([resumeWith(resume), resumeWith(resume)]);
        const fences = outcomes.map((outcome) => (outcome.kind === 'resumed' ? outcome.session.fence : outcome.kind));
        expect([...fences].sort()).toEqual([2, 3]);
        for (const fence of [1, 2]) {
          const old = { ...session, fence };
          await expect(find(old, ticket())).rejects.toMatchObject({ code: 'session_gone' });
          await store.suspend(old);
          await store.close(old);
        }
        expect(await store.online(SITE)).toBe(1);
        expect((await find({ ...session, fence: 3 }, ticket())).status).toBe('waiting');
      });

      test('I11 accepts a token whose successor never arrived, and voids that successor', async () => {
        const { resume } = await opened();
        const lost = token();
        await store.resume(SITE, NODE, resume, lost, FREE, FINGERPRINT);
        const outcome = await resumeWith(resume);
        expect(outcome).toMatchObject({ kind: 'resumed', session: { fence: 3 } });
        expect(await resumeWith(lost)).toEqual({ kind: 'unknown' });
      });

      test('I11 voids a token once its successor is known to have arrived, or is presented itself', async () => {
        const { resume } = await opened();
        const [second, third] = [token(), token()];
        await resumeTo(resume, second);
        const settled = await resumeTo(second, third);
        expect(await resumeWith(resume)).toEqual({ kind: 'unknown' });
        await store.settle(settled);
        expect(await resumeWith(second)).toEqual({ kind: 'unknown' });
        expect((await resumeWith(third)).kind).toBe('resumed');
      });

      test('I11 ignores an acknowledgement of a token from an old socket', async () => {
        const { session, resume } = await opened();
        const old = await resumeTo(resume, token());
        await resumeTo(resume, token());
        await store.settle(old);
        await store.settle(session);
        await store.settle({ ...session, sessionId: 's_ghost' as SessionRef['sessionId'] });
        expect((await resumeWith(resume)).kind).toBe('resumed');
      });

      test('I11 accepts no token of a closed session', async () => {
        const { resume } = await opened();
        const next = token();
        await store.close(await resumeTo(resume, next));
        expect(await resumeWith(resume)).toEqual({ kind: 'unknown' });
        expect(await resumeWith(next)).toEqual({ kind: 'unknown' });
      });

      test('accepts a token on its site only', async () => {
        const { resume } = await opened();
        expect(await resumeWith(resume, { site: OTHER })).toEqual({ kind: 'unknown' });
      });

      test('restores the conversation, and the peer is told of absence and return', async () => {
        const { a, b, resume } = await pair();
        expect((await store.suspend(a)).notices).toMatchObject([
          { kind: 'presence', presence: 'away', to: { sessionId: b.sessionId } },
        ]);
        const outcome = await resumeWith(resume, { node: 'n_2' as NodeId });
        expect(outcome).toMatchObject({
          state: { status: 'chatting', peer: 'here' },
          seat: { peer: { sessionId: b.sessionId } },
          previous: { nodeId: NODE },
          notices: [{ kind: 'presence', presence: 'here', peer: { nodeId: 'n_2' }, to: { sessionId: b.sessionId } }],
        });
      });

      test('matches an absent visitor only after they come back', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await find(a, ticket());
        await store.suspend(a);
        expect((await find(b, ticket())).status).toBe('waiting');
        const outcome = await resumeWith(resume);
        expect(outcome).toMatchObject({ kind: 'resumed', state: { status: 'chatting' } });
        if (outcome.kind === 'resumed') expect(startsOf(outcome.notices)).toHaveLength(2);
      });

      test('keeps the place of a find that was pending when the connection was lost, without a match before the return', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await find(b, ticket());
        await store.suspend(a);
        expect(await find(a, ticket())).toEqual({ status: 'waiting', notices: [] });
        expect((await sweep()).notices).toEqual([]);
        const outcome = await resumeWith(resume);
        expect(outcome).toMatchObject({
          kind: 'resumed',
          state: { status: 'chatting' },
          seat: { peer: { sessionId: b.sessionId } },
        });
      });

      test('keeps the place of a skip that was pending when the connection was lost', async () => {
        const { a, b, resume, conversationId } = await pair();
        await find(await open(), ticket({ seeks: ['x'] }));
        await store.suspend(a);
        expect((await leave(a, conversationId, ticket())).next).toBe('waiting');
        expect((await find(b, ticket())).status).toBe('waiting');
        expect(await resumeWith(resume)).toMatchObject({
          state: { status: 'chatting' },
          seat: { peer: { sessionId: b.sessionId } },
        });
      });

      test('ends the session after the grace period and tells the peer that it was lost', async () => {
        const { a, b, resume } = await pair();
        await store.suspend(a);
        await under.advance(TIMES.graceMs - SLACK_MS);
        expect((await sweep(10)).notices).toEqual([]);
        await under.advance(SLACK_MS);
        expect(await resumeWith(resume)).toEqual({ kind: 'unknown' });
        expect(endsOf((await sweep(10)).notices)).toContainEqual([b.sessionId, 'peer_lost']);
        expect((await sweep(10)).notices).toEqual([]);
      });

      test('closes no more in a sweep than the maximum, and reports that there are more', async () => {
        for (let n = 0; n < 3; n++) await store.suspend((await pair()).a);
        await under.advance(TIMES.graceMs);
        const [first, second] = [await sweep(2), await sweep(2)];
        expect([first, second].map(({ notices }) => lostOf(notices).length)).toEqual([2, 1]);
        expect([first, second].map(({ isMore }) => isMore)).toEqual([true, false]);
      });
    });

    describe('close', () => {
      test('deletes the session, ends the conversation and voids the token', async () => {
        const { session: a, resume } = await opened();
        const b = await open();
        await find(a, ticket());
        await find(b, ticket());
        expect(endsOf((await store.close(a)).notices)).toContainEqual([b.sessionId, 'peer_left']);
        expect(await resumeWith(resume)).toEqual({ kind: 'unknown' });
        await expect(find(a, ticket())).rejects.toMatchObject({ code: 'session_gone' });
        expect((await store.close(a)).notices).toEqual([]);
      });

      test('removes a waiting visitor from the queue', async () => {
        const a = await open();
        await find(a, ticket());
        await store.close(a);
        expect((await find(await open(), ticket())).status).toBe('waiting');
      });
    });

    describe('matching decision', () => {
      const STEPS: MatchRules = {
        ...DEFAULT_MATCH_RULES,
        expansions: [
          { afterMs: 0, reach: 'topic', isInterestNeeded: true, isLanguageNeeded: true, isRepeatAllowed: false },
          {
            afterMs: 60_000,
            reach: 'section',
            isInterestNeeded: false,
            isLanguageNeeded: true,
            isRepeatAllowed: false,
          },
          { afterMs: 120_000, reach: 'site', isInterestNeeded: false, isLanguageNeeded: false, isRepeatAllowed: false },
          { afterMs: 180_000, reach: 'site', isInterestNeeded: false, isLanguageNeeded: false, isRepeatAllowed: true },
        ],
      };
      /** Returns the matched visitor, by the first notice of the seed. */
      const metBy = (notices: readonly Notice[], seed: SessionRef) =>
        startsOf(notices).find(({ to }) => to.sessionId === seed.sessionId)?.seat.peer.sessionId;

      test.each([
        ['another page of the section', { topic: '/a/1' }, { topic: '/a/2' }, 60_000],
        ['another section', { topic: '/a/1' }, { topic: '/b/1' }, 120_000],
        ['other interests', { interests: ['a'] }, { interests: ['b'] }, 60_000],
        ['another language', { languages: ['en'] }, { languages: ['pt'] }, 120_000],
        ['one who says no page', { topic: '/a/1' }, {}, 120_000],
      ] as const)(
        'matches two who fit only after an expansion (%s) in the sweep at its due time, without an arrival',
        async (_, one, two, dueMs) => {
          const [a, b] = [await open(), await open()];
          await find(a, ticket(one), STEPS);
          expect((await find(b, ticket(two), STEPS)).status).toBe('waiting');
          await under.advance(dueMs - SLACK_MS);
          expect((await sweep(50, STEPS)).notices).toEqual([]);
          await under.advance(SLACK_MS);
          expect(metBy((await sweep(50, STEPS)).notices, a)).toBe(b.sessionId);
          expect((await sweep(50, STEPS)).notices).toEqual([]);
        },
      );

      test('matches a newcomer at once with a visitor who has waited long enough', async () => {
        const [a, b] = [await open(), await open()];
        await find(a, ticket({ topic: '/a/1' }), STEPS);
        await under.advance(120_000);
        expect((await find(b, ticket({ topic: '/b/1' }), STEPS)).status).toBe('matched');
      });

      test('prefers the nearest to the first', async () => {
        const [far, near, seed] = [await open(), await open(), await open()];
        await find(far, ticket({ interests: ['a', 'x', 'y', 'z'], seeks: ['g'] }), FREE);
        await find(near, ticket({ interests: ['a', 'b', 'y', 'z'], seeks: ['g'] }), FREE);
        const { notices } = await find(seed, ticket({ interests: ['a', 'b', 'c', 'd'], is: 'g' }), FREE);
        expect(metBy(notices, seed)).toBe(near.sessionId);
      });

      test('weighs a long wait against distance', async () => {
        const [far, near, seed] = [await open(), await open(), await open()];
        await find(far, ticket({ interests: ['a', 'x'], seeks: ['g'] }), FREE);
        await under.advance(60_000);
        await find(near, ticket({ interests: ['a', 'b'], seeks: ['g'] }), FREE);
        const { notices } = await find(seed, ticket({ interests: ['a', 'b'], is: 'g' }), FREE);
        expect(metBy(notices, seed)).toBe(far.sessionId);
      });

      test('prefers somebody new to somebody met recently, who is matched only without an alternative', async () => {
        const { a, b, conversationId } = await pair();
        await leave(a, conversationId, ticket({ seeks: ['g'] }));
        const fresh = await open();
        await find(fresh, ticket({ seeks: ['g'] }));
        const { notices } = await find(b, ticket({ is: 'g' }));
        expect(metBy(notices, b)).toBe(fresh.sessionId);
        const [only] = startsOf(notices);
        await leave(b, only!.seat.conversationId, null);
        expect(metBy((await find(b, ticket({ is: 'g' }))).notices, b)).toBe(a.sessionId);
      });

      test('lets two who just met wait until repeats are allowed', async () => {
        const { a, b, conversationId } = await pair();
        await leave(a, conversationId, ticket(), STEPS);
        expect((await find(b, ticket(), STEPS)).status).toBe('waiting');
        await under.advance(180_000 - SLACK_MS);
        expect((await sweep(50, STEPS)).notices).toEqual([]);
        await under.advance(SLACK_MS);
        expect(metBy((await sweep(50, STEPS)).notices, a)).toBe(b.sessionId);
      });

      test('forgets meetings in time', async () => {
        const { a, b, conversationId } = await pair();
        await leave(a, conversationId, null);
        await under.advance(STEPS.repeatMs);
        await find(a, ticket(), STEPS);
        expect((await find(b, ticket(), STEPS)).status).toBe('matched');
      });

      test('I4 never relaxes a mandatory common language', async () => {
        const hard = { ...STEPS, isLanguageHard: true };
        await find(await open(), ticket({ languages: ['en'] }), hard);
        await under.advance(3_600_000);
        expect((await find(await open(), ticket({ languages: ['pt'] }), hard)).status).toBe('waiting');
      });

      test('I4 never matches different age bands', async () => {
        await find(await open(), { ...ticket(), ageBand: 'adult' });
        for (const ageBand of ['minor', null]) {
          expect((await find(await open(), { ...ticket(), ageBand })).status).toBe('waiting');
        }
      });

      test('examines no more than scanMax, and finds a common interest behind thousands without one', async () => {
        const rules = { ...FREE, expansions: STEPS.expansions };
        for (let n = 0; n < 120; n++)
          await find(await open(), ticket({ interests: [`other${n}`], seeks: [`x${n}`] }), rules);
        const friend = await open();
        await find(friend, ticket({ interests: ['jazz'] }), rules);
        const seed = await open();
        expect(metBy((await find(seed, ticket({ interests: ['jazz'] }), rules)).notices, seed)).toBe(friend.sessionId);
      });
    });

    describe('many matches at once', () => {
      /** Time longer than it takes to request them all. Milliseconds. */
      const DUE_MS = 600_000;

      test('L1 are all made by sweeps', async () => {
        const steps = [
          { ...FREE.expansions[0]!, reach: 'topic' as const },
          { ...FREE.expansions[0]!, afterMs: DUE_MS },
        ];
        const rules = { ...FREE, expansions: steps, confirmMs: 60_000 };
        for (let n = 0; n < 150; n++) await find(await open(), ticket({ topic: `/${n}` }), rules);
        await under.advance(DUE_MS);
        const started = [];
        for (let round = 0; round < 4; round++) started.push(...startsOf((await sweep(200, rules)).notices));
        expect(started).toHaveLength(150);
      });
    });

    describe('confirm', () => {
      test('makes a match final once both confirmed', async () => {
        const { a, b, conversationId } = await pair();
        await store.confirm(a, conversationId);
        await store.confirm(b, conversationId);
        await under.advance(FREE.confirmMs);
        expect((await sweep()).notices).toEqual([]);
        expect((await store.cancel(a)).status).toBe('already_matched');
      });

      test('returns the confirming side of a lapsed match to the queue with its original place', async () => {
        const rules = { ...FREE, confirmMs: 60_000 };
        const [a, b, later] = [await open(), await open(), await open()];
        await find(a, ticket({ seeks: ['g'] }), rules);
        await under.advance(10);
        await find(later, ticket({ seeks: ['g'] }), rules);
        await under.advance(10);
        const conversationId = startsOf((await find(b, ticket({ is: 'g' }), rules)).notices)[0]!.seat.conversationId;
        await store.confirm(a, conversationId);
        await under.advance(rules.confirmMs - SLACK_MS);
        expect((await sweep(50, rules)).notices).toEqual([]);
        await under.advance(SLACK_MS);
        expect(endsOf((await sweep(50, rules)).notices).sort()).toEqual(
          [
            [a.sessionId, 'unconfirmed'],
            [b.sessionId, 'peer_left'],
          ].sort(),
        );
        expect((await store.cancel(b)).status).toBe('cancelled');
        const seed = await open();
        const { notices } = await find(seed, ticket({ is: 'g' }));
        expect(startsOf(notices)[0]!.to.sessionId).toBe(a.sessionId);
      });

      test('lets a match that nobody confirmed lapse for both, and leaves nobody in the queue', async () => {
        const { a, b } = await claimed();
        await under.advance(FREE.confirmMs);
        expect(endsOf((await sweep()).notices).map(([, reason]) => reason)).toEqual(['peer_left', 'peer_left']);
        expect(await store.survey(a)).toBeNull();
        expect(await store.survey(b)).toBeNull();
      });

      test('lets no more matches lapse in a sweep than the maximum, and reports that there are more', async () => {
        for (let n = 0; n < 3; n++) await claimed();
        await under.advance(FREE.confirmMs);
        const [first, second] = [await sweep(2), await sweep(2)];
        expect([first, second].map(({ notices }) => endsOf(notices).length)).toEqual([4, 2]);
        expect([first, second].map(({ isMore }) => isMore)).toEqual([true, false]);
      });

      test('does not count a lapsed match as a meeting', async () => {
        const { a, b } = await claimed();
        await under.advance(FREE.confirmMs);
        await sweep();
        const rules = { ...FREE, expansions: [{ ...FREE.expansions[0]!, isRepeatAllowed: false }] };
        await find(a, ticket(), rules);
        expect((await find(b, ticket(), rules)).status).toBe('matched');
      });

      test('has no effect late, twice, or after the end', async () => {
        const { a, b, conversationId } = await pair();
        await leave(b, conversationId, null);
        expect(await store.confirm(a, conversationId)).toEqual({ notices: [] });
        expect(await store.survey(a)).toBeNull();
      });
    });

    describe('survey', () => {
      test('returns the length of the wait, and nothing else on a new site', async () => {
        const a = await open();
        await find(a, ticket({ seeks: ['nobody'] }));
        await under.advance(700);
        const { waitedMs, ...rest } = (await store.survey(a))!;
        expect(waitedMs).toBeGreaterThanOrEqual(700);
        expect(rest).toEqual({ typicalWaitMs: null, networks: 0, otherLanguageNetworks: 0 });
      });

      test('S34 counts networks and not people, and excludes the asker’s own', async () => {
        const from = (address: string, ...wider: string[]) =>
          store.open(SITE, NODE, token(), {
            ...fingerprintFrom(address),
            wider: wider as VisitorFingerprint['address'][],
          });
        const waitFrom = async (languages: string[], ...address: [string, ...string[]]) => {
          const { session } = await from(...address);
          await find(session, ticket({ languages, seeks: ['nobody'] }));
          return session;
        };
        const asker = await waitFrom(['en'], 'a1', '/56 a', '/48 a');
        const networks = async () => {
          const survey = (await store.survey(asker))!;
          return [survey.networks, survey.otherLanguageNetworks];
        };
        for (let n = 0; n < 4; n++) await waitFrom(['pt'], `a${n}`, `/56 a${n}`, '/48 a');
        expect(await networks()).toEqual([0, 0]);
        for (let n = 0; n < 4; n++) await waitFrom(['pt'], `b${n}`, `/56 b${n}`, '/48 b');
        expect(await networks()).toEqual([1, 1]);
        await waitFrom(['en', 'pt'], 'c');
        await waitFrom([], 'd');
        expect(await networks()).toEqual([3, 1]);
        for (const address of ['e', 'f', 'g', 'h', 'i']) await waitFrom(['pt'], address);
        expect(await networks()).toEqual([5, 5]);
      });

      test('returns a typical wait once there were enough', async () => {
        for (let n = 0; n < 3; n++) {
          const waiting = await open();
          await find(waiting, ticket({ is: `w${n}`, seeks: [`s${n}`] }));
          await under.advance(1_000);
          await find(await open(), ticket({ is: `s${n}`, seeks: [`w${n}`] }));
        }
        const a = await open();
        await find(a, ticket({ seeks: ['nobody'] }));
        const { typicalWaitMs } = (await store.survey(a))!;
        expect(typicalWaitMs).toBeGreaterThanOrEqual(0);
        expect(typicalWaitMs).toBeLessThan(1_500);
      });

      test('is null for a visitor who does not wait', async () => {
        expect(await store.survey(await open())).toBeNull();
      });
    });

    test('end ends a conversation for both sides, once', async () => {
      const { a, b, conversationId } = await pair();
      expect(endsOf((await store.end(SITE, conversationId, 'idle')).notices)).toEqual([
        [a.sessionId, 'idle'],
        [b.sessionId, 'idle'],
      ]);
      expect((await store.end(SITE, conversationId, 'idle')).notices).toEqual([]);
      expect((await store.end(SITE, 'c_unknown' as ConversationId, 'idle')).notices).toEqual([]);
    });

    test('I13 online counts connected sessions', async () => {
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
        () => find(ghost, ticket()),
        () => store.cancel(ghost),
        () => leave(ghost, conversationId, null),
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
