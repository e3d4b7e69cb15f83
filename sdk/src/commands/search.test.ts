import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { ChatError } from '../errors.ts';
import { type FindPayload, type RequestId, TIMES } from '../protocol/index.ts';
import { Search } from './search.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const find = (id: string): FindPayload => ({ requestId: id as RequestId });
const [X, Y] = [find('x'), find('y')];
const refusal = new ChatError('rate_limited');

interface Scene {
  readonly search: Search;
  readonly over: () => void;
  readonly matchOverdue: () => void;
  /** Outcomes of what was waited for, in order. */
  readonly outcomes: string[];
}

function scene(): Scene {
  const over = vi.fn<() => void>();
  const matchOverdue = vi.fn<() => void>();
  return { search: new Search({ over, matchOverdue }), over, matchOverdue, outcomes: [] };
}

/** Events of a search. */
const EVENTS = {
  'X is wanted': ({ search, outcomes }) => start(search, X, outcomes),
  'Y is wanted': ({ search, outcomes }) => start(search, Y, outcomes),
  'X is asked for': ({ search }) => search.asked(X),
  'Y is asked for': ({ search }) => search.asked(Y),
  'X is taken': ({ search }) => search.answered(X, 'waiting'),
  'Y is taken': ({ search }) => search.answered(Y, 'waiting'),
  'Y is refused': ({ search }) => search.refused(Y, refusal, false),
  'X is refused': ({ search }) => search.refused(X, refusal, false),
  'X is refused after an earlier try': ({ search }) => search.refused(X, refusal, true),
  'a proof is wanted': ({ search }) => void search.startProof(),
  'the proof is handed in': (at) => at.search.proofDone(proofOf(at), null),
  'the proof fails': (at) => at.search.proofDone(proofOf(at), refusal),
  cancel: ({ search, outcomes }) => {
    void search.cancel().then((result) => outcomes.push(result));
  },
  drop: ({ search }) => void search.drop(),
  cancelled: ({ search }) => search.cancelAnswered('cancelled'),
  'already matched': ({ search }) => search.cancelAnswered('already_matched'),
  'no answer to the cancellation': ({ search }) => search.stopWaiting(),
  'nothing to cancel': ({ search }) => void search.endUnknown(),
  'the match': ({ search }) => search.matched(),
  'turned down': ({ search }) => search.gone(),
  'ready: idle': ({ search }) => search.ready('idle'),
  'ready: waiting': ({ search }) => search.ready('waiting'),
  'ready: chatting': ({ search }) => search.ready('chatting'),
  'refused for good': ({ search }) => search.stop(refusal),
} satisfies Record<string, (scene: Scene) => void>;
type Event = keyof typeof EVENTS;

function start(search: Search, payload: FindPayload, outcomes: string[]): void {
  search.start(payload).then(
    () => outcomes.push(`held ${payload.requestId}`),
    (error: ChatError) => outcomes.push(`${error.code} ${payload.requestId}`),
  );
}

function proofOf({ search }: Scene): AbortController {
  const { going } = search.state;
  if (going?.kind !== 'proving') throw new Error(`proving was expected, not ${search.state.kind}`);
  return going.stop;
}

/** The ways to each state. */
const WAYS = {
  none: [],
  wanted: ['X is wanted'],
  asked: ['X is wanted', 'X is asked for'],
  held: ['X is wanted', 'X is asked for', 'X is taken'],
  'asked Y, has X': ['X is wanted', 'X is asked for', 'X is taken', 'Y is wanted', 'Y is asked for'],
  proving: ['X is wanted', 'X is asked for', 'a proof is wanted'],
  'proving Y, has X': ['X is wanted', 'X is asked for', 'X is taken', 'Y is wanted', 'a proof is wanted'],
  cancelling: ['X is wanted', 'X is asked for', 'X is taken', 'cancel'],
  abandoned: ['X is wanted', 'X is asked for', 'X is taken', 'drop'],
  'abandoned, then Y': ['X is wanted', 'X is asked for', 'X is taken', 'drop', 'Y is wanted'],
  match_due: ['X is wanted', 'X is asked for', 'X is taken', 'drop', 'already matched'],
  'match_due, then Y': ['X is wanted', 'X is asked for', 'X is taken', 'drop', 'already matched', 'Y is wanted'],
} satisfies Record<string, readonly Event[]>;
type Name = keyof typeof WAYS;

async function at(name: Name): Promise<Scene> {
  const here = scene();
  for (const event of WAYS[name]) EVENTS[event](here);
  await vi.advanceTimersByTimeAsync(0);
  here.outcomes.length = 0;
  return here;
}

/** A state as a few words: its kind, what is looked for and how far that is, and what the service has meanwhile. */
function words({ state: { kind, going } }: Search): string {
  const parts: string[] = kind === 'going' ? [] : [kind];
  if (going !== null) parts.push(`${going.kind} ${going.find.requestId}`);
  if (going !== null && 'before' in going && going.before !== null) parts.push(`has ${going.before.requestId}`);
  return parts.join(', ');
}

const stepOf = ({ step }: Search): string =>
  step === null || step === 'cancel' ? String(step) : `find ${step.requestId}`;

test.each<[Name, state: string, step: string, isMatchWanted: boolean]>([
  ['none', 'none', 'null', false],
  ['wanted', 'wanted x', 'find x', true],
  ['asked', 'asked x', 'find x', true],
  ['held', 'held x', 'null', true],
  ['asked Y, has X', 'asked y, has x', 'find y', true],
  ['proving', 'proving x', 'null', true],
  ['proving Y, has X', 'proving y, has x', 'null', true],
  ['cancelling', 'cancelling, held x', 'cancel', true],
  ['abandoned', 'abandoned', 'cancel', false],
  ['abandoned, then Y', 'abandoned, wanted y', 'cancel', false],
  ['match_due', 'match_due', 'null', false],
  ['match_due, then Y', 'match_due, wanted y', 'find y', false],
])('%s: %s; the next step is %s, and whether a match is wanted: %s', async (name, state, step, isMatchWanted) => {
  const { search } = await at(name);
  expect([words(search), stepOf(search), search.isMatchWanted]).toEqual([state, step, isMatchWanted]);
});

test.each<[Name, Event, becomes: string, outcomes?: string]>([
  ['none', 'ready: waiting', 'abandoned'],
  ['none', 'cancelled', 'none'],
  ['wanted', 'Y is wanted', 'wanted y'],
  ['wanted', 'X is taken', 'wanted x'],
  ['wanted', 'ready: waiting', 'asked x, has x'],
  ['wanted', 'the match', 'none', 'held x'],
  ['wanted', 'drop', 'none', 'aborted x'],
  ['asked', 'X is taken', 'held x', 'held x'],
  ['asked', 'X is refused', 'none', 'rate_limited x'],
  ['asked', 'X is refused after an earlier try', 'abandoned', 'rate_limited x'],
  ['asked', 'Y is wanted', 'asked y'],
  ['asked', 'drop', 'abandoned', 'aborted x'],
  ['asked', 'turned down', 'wanted x'],
  ['asked', 'ready: idle', 'wanted x'],
  ['asked', 'ready: chatting', 'wanted x'],
  ['held', 'Y is wanted', 'asked y, has x'],
  ['held', 'ready: waiting', 'asked x, has x'],
  ['held', 'ready: idle', 'wanted x'],
  ['held', 'turned down', 'wanted x'],
  ['held', 'the match', 'none'],
  ['held', 'refused for good', 'none'],
  ['asked Y, has X', 'X is taken', 'asked y, has x'],
  ['asked Y, has X', 'Y is taken', 'held y', 'held y'],
  ['asked Y, has X', 'Y is refused', 'held x', 'rate_limited y'],
  ['proving', 'the proof is handed in', 'wanted x'],
  ['proving', 'the proof fails', 'none', 'rate_limited x'],
  ['proving', 'Y is wanted', 'proving y'],
  ['proving', 'drop', 'none', 'aborted x'],
  ['proving', 'the match', 'none', 'held x'],
  ['proving Y, has X', 'the proof is handed in', 'asked y, has x'],
  ['proving Y, has X', 'the proof fails', 'abandoned', 'rate_limited y'],
  ['proving Y, has X', 'turned down', 'proving y'],
  ['cancelling', 'cancelled', 'none', 'cancelled'],
  ['cancelling', 'already matched', 'held x', 'already_matched'],
  ['cancelling', 'no answer to the cancellation', 'abandoned', 'cancelled'],
  ['cancelling', 'Y is wanted', 'asked y, has x', 'cancelled'],
  ['cancelling', 'the match', 'none', 'already_matched'],
  ['cancelling', 'drop', 'abandoned', 'cancelled'],
  ['cancelling', 'nothing to cancel', 'cancelling, held x'],
  ['abandoned', 'cancelled', 'none'],
  ['abandoned', 'already matched', 'match_due'],
  ['abandoned', 'turned down', 'none'],
  ['abandoned', 'ready: idle', 'none'],
  ['abandoned', 'ready: waiting', 'abandoned'],
  ['abandoned', 'ready: chatting', 'match_due'],
  ['abandoned', 'refused for good', 'none'],
  ['abandoned, then Y', 'cancelled', 'wanted y'],
  ['abandoned, then Y', 'turned down', 'wanted y'],
  ['abandoned, then Y', 'drop', 'abandoned', 'aborted y'],
  ['abandoned, then Y', 'cancel', 'abandoned', 'aborted y, cancelled'],
  ['abandoned, then Y', 'ready: chatting', 'match_due, wanted y'],
  ['match_due', 'turned down', 'none'],
  ['match_due', 'ready: idle', 'none'],
  ['match_due, then Y', 'Y is asked for', 'match_due, asked y'],
  ['match_due, then Y', 'turned down', 'wanted y'],
])('%s: %s makes it %s', async (name, event, becomes, outcomes = '') => {
  const here = await at(name);
  EVENTS[event](here);
  await vi.advanceTimersByTimeAsync(0);
  expect([words(here.search), here.outcomes.join(', ')]).toEqual([becomes, outcomes]);
});

describe('proof', () => {
  it.each(['drop', 'the match', 'refused for good'] as const)('is computed no further: %s', async (event) => {
    const here = await at('proving');
    const stop = proofOf(here);
    EVENTS[event](here);
    expect(stop.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
  });

  it('is requested three times in a row at most', async () => {
    const here = await at('asked');
    for (let count = 1; count <= 3; count += 1) {
      const stop = here.search.startProof()!;
      here.search.proofDone(stop, null);
      here.search.asked(X);
    }
    expect(here.search.startProof()).toBeNull();
  });
});

describe('promised match', () => {
  it('is overdue when its push does not come', async () => {
    const here = await at('asked');
    here.search.answered(X, 'matched');
    await vi.advanceTimersByTimeAsync(TIMES.replyTimeoutMs);
    expect(here.matchOverdue).toHaveBeenCalledOnce();
  });

  it.each(['the match', 'turned down', 'ready: waiting', 'refused for good'] as const)(
    'is not waited for after %s',
    async (event) => {
      const here = await at('asked');
      here.search.answered(X, 'matched');
      EVENTS[event](here);
      await vi.advanceTimersByTimeAsync(TIMES.replyTimeoutMs);
      expect(here.matchOverdue).not.toHaveBeenCalled();
    },
  );
});

it('reports its end when it was refused or cancelled, not when it was dropped or matched', async () => {
  const overs: [Name, Event][] = [
    ['asked', 'X is refused'],
    ['cancelling', 'cancelled'],
    ['cancelling', 'no answer to the cancellation'],
    ['proving', 'the proof fails'],
  ];
  for (const [name, event] of overs) {
    const here = await at(name);
    EVENTS[event](here);
    expect(here.over, `${name}: ${event}`).toHaveBeenCalledOnce();
  }
  const others: [Name, Event][] = [
    ['held', 'drop'],
    ['held', 'the match'],
    ['asked Y, has X', 'Y is refused'],
    ['abandoned', 'cancelled'],
  ];
  for (const [name, event] of others) {
    const here = await at(name);
    EVENTS[event](here);
    expect(here.over, `${name}: ${event}`).not.toHaveBeenCalled();
  }
  await vi.advanceTimersByTimeAsync(0);
});
