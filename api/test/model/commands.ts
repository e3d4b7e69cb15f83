import { FINGERPRINT } from '../fingerprints.ts';
import fc from 'fast-check';
import type { ConversationId, Criteria, EndReason, RequestId, ResumeToken } from '@passerby/sdk/protocol';
import { type Ticket, ticketFrom } from '../../src/matching/ticket.ts';
import { NODE_LEASE_MS } from '../../src/state/redis/keys.ts';
import type { Notice } from '../../src/domain/notice.ts';
import type { Transition } from '../../src/state/state-store.ts';
import { compare } from './compare.ts';
import { hold, type Ledger, peerIn, type Visitor } from './ledger.ts';
import { NODES, SITES, type World } from './world.ts';

type Act<Choice> = (ledger: Ledger, world: World, choice: Choice) => Promise<void>;

/** One step of a run: executes it, reads its results, and compares the store with the ledger. */
class Step<Choice> implements fc.AsyncCommand<Ledger, World> {
  readonly #name: string;
  readonly #choice: Choice;
  readonly #act: Act<Choice>;

  constructor(name: string, choice: Choice, act: Act<Choice>) {
    this.#name = name;
    this.#choice = choice;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(ledger: Ledger, world: World): Promise<void> {
    await this.#act(ledger, world, this.#choice);
    await compare(ledger, world);
  }

  toString(): string {
    return `${this.#name}(${JSON.stringify(this.#choice)})`;
  }
}

const step = <Choice>(name: string, choices: fc.Arbitrary<Choice>, act: Act<Choice>) =>
  choices.map((choice) => new Step(name, choice, act));

type Answer<Value> = { kind: 'ok'; value: Value } | { kind: 'refused'; code: string };

/** Returns a refusal as an answer; any other exception is rethrown. */
async function answerOf<Value>(attempt: Promise<Value>): Promise<Answer<Value>> {
  try {
    return { kind: 'ok', value: await attempt };
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'Refusal')
      return { kind: 'refused', code: (thrown as Error & { code: string }).code };
    throw thrown;
  }
}

function refused(answer: Answer<unknown>, code: string): void {
  const told = answer.kind === 'refused' ? answer.code : 'nothing of the sort';
  hold(code === 'session_gone' ? 'I11' : 'reply', told === code, () => `${code} was called for, ${told} was said`);
}

function granted<Value>(answer: Answer<Value>): Value {
  if (answer.kind === 'ok') return answer.value;
  return hold('reply', false, () => `refused with ${answer.code}`) as never;
}

function silent(notices: readonly Notice[]): void {
  hold('reply', notices.length === 0, () => `nothing was to be told, and was: ${JSON.stringify(notices)}`);
}

type Wanted = Criteria & { readonly ageBand?: string };

/** Criteria of a search; few values, so that visitors match. */
const criteria: fc.Arbitrary<Wanted> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        interests: fc.subarray(['jazz', 'go', 'tea']),
        languages: fc.subarray(['en', 'pt'], { minLength: 1 }),
        topic: fc.constantFrom('/a/1', '/a/2', '/b/1', '/c'),
        is: fc.constantFrom('x', 'y'),
        seeks: fc.subarray(['x', 'y'], { minLength: 1 }),
        ageBand: fc.constantFrom('adult'),
      },
      { requiredKeys: [] },
    ),
  },
);

const who = fc.nat(11);
const whether = fc.boolean();
const rarely = fc.integer({ min: 0, max: 5 }).map((n) => n === 0);

let requests = 0;
let tokens = 0;
const ticketOf = ({ ageBand, ...wanted }: Wanted): Ticket =>
  ticketFrom({ requestId: `request-${++requests}` as RequestId, ...wanted }, ageBand);
const newToken = () => `r_${String(++tokens).padStart(20, '0')}` as ResumeToken;

const pick = ({ visitors }: Ledger, index: number): Visitor => visitors[index % visitors.length]!;
/** Picks a visitor, mostly one who is present. */
const pickOpen = (ledger: Ledger, index: number): Visitor => {
  const open = ledger.visitors.filter(({ isOpen }) => isOpen);
  return open.length === 0 || index === 11 ? pick(ledger, index) : open[index % open.length]!;
};
/** Picks a visitor, mostly one in a conversation, if there is one. */
const pickTalking = (ledger: Ledger, index: number): Visitor => {
  const talking = ledger.visitors.filter(({ talk }) => talk !== null);
  return talking.length === 0 || index > 8 ? pickOpen(ledger, index) : talking[index % talking.length]!;
};
const ticketIn = ({ wait, talk }: Visitor, self: Visitor): Ticket | null =>
  wait?.ticket ?? talk?.waits[talk.sides.indexOf(self)]?.ticket ?? null;

/** Reads the answer of a find, and of a leave with a new search. */
function readFind(
  ledger: Ledger,
  visitor: Visitor,
  ticket: Ticket,
  answer: Answer<{ status: string; notices: readonly Notice[] }>,
): void {
  if (!visitor.isOpen) return refused(answer, 'session_gone');
  if (visitor.talk !== null) {
    if (ticketIn(visitor, visitor)?.requestId !== ticket.requestId) return refused(answer, 'already_in_conversation');
    const { status, notices } = granted(answer);
    silent(notices);
    hold('I6', status === 'matched', () => `asking again was answered ${status}`);
    return;
  }
  const { status, notices } = granted(answer);
  ledger.waits(visitor, ticket);
  ledger.read(notices, { asks: visitor });
  hold('reply', status === (visitor.talk === null ? 'waiting' : 'matched'), () => `${status} was said`);
}

const find = async (ledger: Ledger, { store }: World, visitor: Visitor, ticket: Ticket) =>
  answerOf(store.find(ledger.refOf(visitor), ticket, ledger.rules));

const leave = async (ledger: Ledger, { store }: World, visitor: Visitor, id: ConversationId, next: Ticket | null) =>
  answerOf(store.leave(ledger.refOf(visitor), id, next, ledger.rules));

function readLeave(
  ledger: Ledger,
  visitor: Visitor,
  id: ConversationId,
  next: Ticket | null,
  answer: Awaited<ReturnType<typeof leave>>,
): void {
  if (!visitor.isOpen) return refused(answer, 'session_gone');
  const isOver = visitor.talk?.id !== id;
  if (next !== null && isOver) {
    return readFind(
      ledger,
      visitor,
      next,
      answer.kind === 'ok' ? { kind: 'ok', value: { ...answer.value, status: String(answer.value.next) } } : answer,
    );
  }
  const outcome = granted(answer);
  if (next === null) {
    if (isOver) silent(outcome.notices);
    else ledger.read(outcome.notices, { by: visitor, ends: 'left' });
    hold('I10', visitor.talk?.id !== id, () => `${visitor.sessionId} left ${id} and was not told`);
    hold('reply', outcome.next === null, () => `${outcome.next} was said`);
    return;
  }
  const ends = outcome.notices.filter(({ kind }) => kind === 'ended');
  ledger.read(ends, { by: visitor, ends: 'left' });
  hold('I10', visitor.talk === null, () => `${visitor.sessionId} left ${id} and was not told`);
  const notices = outcome.notices.filter(({ kind }) => kind !== 'ended');
  readFind(ledger, visitor, next, { kind: 'ok', value: { status: String(outcome.next), notices } });
}

/** Token of a client: the present one, the one before it if that never arrived, rarely one that is void. */
const which = fc.oneof(
  { weight: 4, arbitrary: fc.constant('token' as const) },
  { weight: 2, arbitrary: fc.constant('formerToken' as const) },
  { weight: 1, arbitrary: fc.constant('void' as const) },
);
const tokenOf = (visitor: Visitor, kept: 'token' | 'formerToken' | 'void'): ResumeToken =>
  (kept === 'void' ? visitor.voidTokens.at(-1) : visitor[kept]) ?? visitor.token;

/** Conversation named in a request: the visitor's own or last one, or any other. */
const someTalk = (ledger: Ledger, visitor: Visitor, isForeign: boolean): ConversationId => {
  const own = visitor.talk?.id ?? visitor.last?.id;
  const other = ledger.visitors.map(({ last }) => last?.id).find((id) => id !== undefined && id !== own);
  return (isForeign ? other : own) ?? ('c_unknown' as ConversationId);
};

const refusedAll = async (ledger: Ledger, { store }: World, visitor: Visitor, fence: number) => {
  const ref = { ...ledger.refOf(visitor), fence };
  const id = someTalk(ledger, visitor, false);
  const attempts: readonly (() => Promise<unknown>)[] = [
    () => store.find(ref, ticketOf({}), ledger.rules),
    () => store.cancel(ref),
    () => store.leave(ref, id, null, ledger.rules),
    () => store.confirm(ref, id),
    () => store.block(ref, id),
    () => store.survey(ref),
  ];
  for (const attempt of attempts) refused(await answerOf(attempt()), 'session_gone');
  await store.settle(ref);
  silent((await store.suspend(ref)).notices);
  silent((await store.close(ref)).notices);
};

/** Round of a node: its heartbeat and sweep. */
export async function round(ledger: Ledger, { store }: World, nodeId = NODES[0]!): Promise<void> {
  for (const site of SITES) {
    for (const node of NODES) {
      if (ledger.silent.has(node)) continue;
      await store.heartbeat(site, node);
      ledger.beat(site, node);
    }
    const holder = ledger.sweeper.get(site) ?? nodeId;
    if (ledger.hasLeases) ledger.sweeper.set(site, holder);
    const isHolder = !ledger.hasLeases || holder === nodeId;
    const due = isHolder ? ledger.sweepBegins(site) : null;
    const { notices } = await store.sweep(site, nodeId, ledger.rules, 50);
    if (due === null) silent(notices);
    else {
      ledger.read(notices, { ends: 'sweep' }, due.cut);
      ledger.sweepEnds(due);
    }
  }
}

async function open(ledger: Ledger, { store }: World, site: number, node: number): Promise<void> {
  const token = newToken();
  const nodeId = NODES[node]!;
  const { session } = await store.open(SITES[site]!, nodeId, token, FINGERPRINT);
  ledger.opened(session, nodeId, token);
}

/** Four visitors who are present from the start. */
export async function populate(ledger: Ledger, world: World): Promise<void> {
  for (const [site, node] of [
    [0, 0],
    [0, 1],
    [0, 0],
    [1, 0],
  ] as const)
    await open(ledger, world, site, node);
}

const resume = async (
  ledger: Ledger,
  { store }: World,
  visitor: Visitor,
  presented: ResumeToken,
  next: ResumeToken,
  node: number,
  site = visitor.site,
) => store.resume(site, NODES[node]!, presented, next, ledger.rules, FINGERPRINT);

function readResume(
  ledger: Ledger,
  visitor: Visitor,
  presented: ResumeToken,
  next: ResumeToken,
  node: number,
  outcome: Awaited<ReturnType<typeof resume>>,
): void {
  const isGood = ledger.goodTokens(visitor).includes(presented) && !ledger.isGraceOver(visitor);
  hold(
    'I11',
    (outcome.kind === 'resumed') === isGood,
    () => `a ${isGood ? 'good' : 'bad'} token was answered ${outcome.kind}`,
  );
  if (outcome.kind !== 'resumed') return;
  const { nodeId } = visitor;
  ledger.returns(visitor, NODES[node]!, presented, next);
  ledger.read(outcome.notices, { moved: visitor, asks: visitor });
  const { session, state, previous, seat } = outcome;
  hold('I11', session.sessionId === visitor.sessionId && session.fence === visitor.fence, () =>
    JSON.stringify(session),
  );
  hold('I11', previous.nodeId === nodeId && previous.sessionId === visitor.sessionId, () => JSON.stringify(previous));
  const expected = visitor.talk !== null ? 'chatting' : visitor.wait !== null ? 'waiting' : 'idle';
  hold('I1', state.status === expected, () => `${visitor.sessionId} came back ${state.status}, not ${expected}`);
  hold('I2', seat?.conversationId === visitor.talk?.id, () => `${seat?.conversationId} is not ${visitor.talk?.id}`);
  if (visitor.talk !== null) {
    const peer = peerIn(visitor.talk, visitor);
    hold('I2', seat!.peer.sessionId === peer.sessionId && seat!.peer.nodeId === peer.nodeId, () =>
      JSON.stringify(seat),
    );
    const isAway = state.status === 'chatting' && state.peer === 'away';
    hold(
      'presence',
      isAway === (peer.awaySince !== null),
      () => `${peer.sessionId} is said to be ${isAway ? 'away' : 'here'}`,
    );
  }
  if (state.status === 'waiting') {
    const waited = ledger.now() - visitor.wait!.since;
    hold('I6', state.waitingForMs === waited, () => `waiting for ${state.waitingForMs} ms, not ${waited}`);
  }
}

export const COMMANDS: readonly fc.Arbitrary<fc.AsyncCommand<Ledger, World>>[] = [
  step('open', fc.record({ site: rarely, node: whether }), async (ledger, world, { site, node }) => {
    if (ledger.visitors.length < 8) await open(ledger, world, Number(site), Number(node));
  }),

  ...[1, 2, 3].map(() =>
    step(
      'find',
      fc.record({ index: who, wanted: criteria, isRepeat: rarely }),
      async (ledger, world, { index, wanted, isRepeat }) => {
        const visitor = pickOpen(ledger, index);
        const ticket = (isRepeat ? ticketIn(visitor, visitor) : null) ?? ticketOf(wanted);
        readFind(ledger, visitor, ticket, await find(ledger, world, visitor, ticket));
      },
    ),
  ),

  step(
    'find together',
    fc.array(fc.record({ index: who, wanted: criteria }), { minLength: 2, maxLength: 4 }),
    async (ledger, world, all) => {
      const asked = all.map(({ index, wanted }) => ({ visitor: pickOpen(ledger, index), ticket: ticketOf(wanted) }));
      const answers = await Promise.all(asked.map(({ visitor, ticket }) => find(ledger, world, visitor, ticket)));
      for (const [n, { visitor, ticket }] of asked.entries()) readFind(ledger, visitor, ticket, answers[n]!);
    },
  ),

  step('cancel', who, async (ledger, { store }, index) => {
    const visitor = pickOpen(ledger, index);
    const answer = await answerOf(store.cancel(ledger.refOf(visitor)));
    if (!visitor.isOpen) return refused(answer, 'session_gone');
    const { status, notices } = granted(answer);
    silent(notices);
    hold('reply', status === (visitor.talk === null ? 'cancelled' : 'already_matched'), () => `${status} was said`);
    ledger.stopsWaiting(visitor);
  }),

  step(
    'leave',
    fc.record({ index: who, isForeign: rarely, next: fc.option(criteria) }),
    async (ledger, world, { index, isForeign, next }) => {
      const visitor = pickTalking(ledger, index);
      const id = someTalk(ledger, visitor, isForeign);
      const ticket = next === null ? null : ticketOf(next);
      readLeave(ledger, visitor, id, ticket, await leave(ledger, world, visitor, id, ticket));
    },
  ),

  step('skip together', fc.record({ index: who, wanted: criteria }), async (ledger, world, { index, wanted }) => {
    const talking = ledger.visitors.filter(({ talk }) => talk !== null);
    if (talking.length === 0) return;
    const { talk } = talking[index % talking.length]!;
    const tickets = talk!.sides.map(() => ticketOf(wanted));
    const answers = await Promise.all(talk!.sides.map((side, n) => leave(ledger, world, side, talk!.id, tickets[n]!)));
    for (const [n, side] of talk!.sides.entries()) readLeave(ledger, side, talk!.id, tickets[n]!, answers[n]!);
  }),

  step('confirm', fc.record({ index: who, isForeign: rarely }), async (ledger, { store }, { index, isForeign }) => {
    const visitor = pickTalking(ledger, index);
    const id = someTalk(ledger, visitor, isForeign);
    const answer = await answerOf(store.confirm(ledger.refOf(visitor), id));
    if (!visitor.isOpen) return refused(answer, 'session_gone');
    silent(granted(answer).notices);
    if (visitor.talk?.id === id) ledger.confirms(visitor);
  }),

  step('confirm together', who, async (ledger, { store }, index) => {
    const { talk } = pickTalking(ledger, index);
    if (talk === null) return;
    await Promise.all(talk.sides.map((side) => store.confirm(ledger.refOf(side), talk.id)));
    for (const side of talk.sides) ledger.confirms(side);
  }),

  step('block', fc.record({ index: who, isForeign: rarely }), async (ledger, { store }, { index, isForeign }) => {
    const visitor = pickTalking(ledger, index);
    const id = someTalk(ledger, visitor, isForeign);
    const answer = await answerOf(store.block(ledger.refOf(visitor), id));
    if (!visitor.isOpen) return refused(answer, 'session_gone');
    if (visitor.last?.id !== id) return refused(answer, 'not_in_conversation');
    const { notices } = granted(answer);
    ledger.blocks(visitor, visitor.last.peer);
    if (visitor.talk === null) silent(notices);
    else ledger.read(notices, { by: visitor, ends: 'left' });
    hold('I10', visitor.talk === null, () => `${visitor.sessionId} blocked and was not told of the end`);
  }),

  step('suspend', who, async (ledger, { store }, index) => {
    const visitor = pickTalking(ledger, index);
    const wasHere = visitor.isOpen && visitor.awaySince === null;
    const { notices } = await store.suspend(ledger.refOf(visitor));
    if (!wasHere) return silent(notices);
    ledger.goes(visitor);
    hold(
      'presence',
      notices.length === (visitor.talk === null ? 0 : 1),
      () => `${notices.length} were told of ${visitor.sessionId}`,
    );
    ledger.read(notices, { moved: visitor });
  }),

  step(
    'resume',
    fc.record({ index: who, node: whether, kept: which, isElsewhere: rarely }),
    async (ledger, world, { index, node, kept, isElsewhere }) => {
      const visitor = pick(ledger, index);
      const presented = tokenOf(visitor, kept);
      const next = newToken();
      if (isElsewhere) {
        const other = SITES.find((site) => site !== visitor.site)!;
        const outcome = await resume(ledger, world, visitor, presented, next, Number(node), other);
        return hold('I11', outcome.kind === 'unknown', () => 'a token of another site was good');
      }
      readResume(
        ledger,
        visitor,
        presented,
        next,
        Number(node),
        await resume(ledger, world, visitor, presented, next, Number(node)),
      );
    },
  ),

  step(
    'resume twice at once',
    fc.record({ index: who, node: whether, kept: which }),
    async (ledger, world, { index, node, kept }) => {
      const visitor = pickOpen(ledger, index);
      const presented = tokenOf(visitor, kept);
      const tries = [0, 1].map((n) => ({ next: newToken(), node: n === 0 ? Number(node) : 0 }));
      const outcomes = await Promise.all(
        tries.map(({ next, node: on }) => resume(ledger, world, visitor, presented, next, on)),
      );
      for (const [n, { next, node: on }] of tries.entries())
        readResume(ledger, visitor, presented, next, on, outcomes[n]!);
    },
  ),

  step('settle', who, async (ledger, { store }, index) => {
    const visitor = pick(ledger, index);
    await store.settle(ledger.refOf(visitor));
    ledger.settles(visitor);
  }),

  step('old socket', who, async (ledger, world, index) => {
    const visitor = pick(ledger, index);
    await refusedAll(ledger, world, visitor, visitor.fence - 1);
  }),

  step('close', who, async (ledger, { store }, index) => {
    const visitor = pickOpen(ledger, index);
    const wasOpen = visitor.isOpen;
    const { notices } = await store.close(ledger.refOf(visitor));
    if (!wasOpen || visitor.talk === null) silent(notices);
    else ledger.read(notices, { by: visitor, ends: 'left' });
    ledger.closes(visitor);
  }),

  step(
    'end',
    fc.record({ index: who, isForeign: rarely, reason: fc.constantFrom<EndReason>('idle', 'moderated') }),
    async (ledger, { store }, { index, isForeign, reason }) => {
      const visitor = pickTalking(ledger, index);
      const id = someTalk(ledger, visitor, isForeign);
      const talk = ledger.visitors.find((other) => other.site === visitor.site && other.talk?.id === id)?.talk ?? null;
      const { notices }: Transition = await store.end(visitor.site, id, reason);
      if (talk === null) return silent(notices);
      ledger.read(notices, { ends: reason });
      hold(
        'I10',
        talk.sides.every((side) => side.talk === null),
        () => `${id} was ended and nobody told`,
      );
    },
  ),

  ...[1, 2].map(() =>
    step(
      'time',
      fc.record({
        ms: fc.oneof(
          { weight: 9, arbitrary: fc.constantFrom(1, 500, 1_500, 3_000, 6_000, 16_000) },
          { weight: 2, arbitrary: fc.constantFrom(59_999, 60_000) },
          { weight: 1, arbitrary: fc.constant(30 * 60_000) },
        ),
        isOther: rarely,
      }),
      async (ledger, world, { ms, isOther }) => {
        world.advance(ms);
        await round(ledger, world, NODES[Number(isOther && !ledger.silent.has(NODES[1]!))]!);
      },
    ),
  ),

  step('repair', whether, async (ledger, { store }, isOther) => {
    // Nothing is ever lost here, so that there is nothing to do, whatever the store looks at.
    const nodeId = NODES[Number(isOther)]!;
    for (const site of SITES) {
      if (ledger.hasLeases) ledger.sweeper.set(site, ledger.sweeper.get(site) ?? nodeId);
      const { notices, mended, areCountsAtOdds } = await store.repair(site, nodeId, 100);
      silent(notices);
      if (areCountsAtOdds || Object.keys(mended).length > 0)
        throw new Error(`a repair where nothing was lost: ${JSON.stringify({ mended, areCountsAtOdds })}`);
    }
  }),

  step('node', whether, async (ledger, world, isSilent) => {
    if (!ledger.hasLeases) return;
    if (isSilent) ledger.silent.add(NODES[1]!);
    else {
      // A node that comes back finds that its dead have been taken care of.
      await round(ledger, world);
      ledger.silent.delete(NODES[1]!);
    }
  }),

  step('hear late', fc.constantFrom(4_000, NODE_LEASE_MS), async (ledger, world, ms) => {
    // Time without a sweep: leases run out and steps fall due unseen.
    world.advance(ms);
    const { store } = world;
    for (const site of SITES) {
      for (const node of NODES) {
        if (ledger.silent.has(node)) continue;
        await store.heartbeat(site, node);
        ledger.beat(site, node);
      }
    }
  }),
];
