import { DEFAULT_MATCH_RULES, type MatchRules } from '../../src/matching/rules.ts';
import type { IdSource } from '../../src/domain/id-source.ts';
import type { NodeId, SiteId } from '../../src/domain/ids.ts';
import type { SessionRef } from '../../src/domain/session.ts';
import type { StateStore } from '../../src/state/state-store.ts';
import type { ConversationId, ResumeToken } from '@passerby/sdk/protocol';

export const SITES = ['pk_test_one', 'pk_test_two'] as SiteId[];
/** Nodes: the first sweeps; the second may die. */
export const NODES = ['n_1', 'n_2'] as NodeId[];

/** Start of a run. Any moment of the present century has as many digits. Unix milliseconds. */
export const EPOCH = 1_700_000_000_000;

/** Store and its environment: time that stands until it is advanced, ids that are counters. */
export interface World {
  readonly store: StateStore;
  readonly now: () => number;
  advance(ms: number): void;
  /** Reads the content of the store for a site without the store's own code; `null` if that is not possible. */
  inspect(site: SiteId): Promise<Inspection | null>;
  /** Number of records of a store in memory, all sites together; `null` elsewhere. */
  sizes(): Sizes | null;
  /** True if a node without a heartbeat dies. */
  readonly hasLeases: boolean;
}

export interface Sizes {
  readonly sessions: number;
  readonly tokens: number;
  readonly away: number;
  readonly sites: number;
  readonly waiting: number;
  readonly inQueue: number;
  readonly conversations: number;
}

/** One site, by its keys. */
export interface Inspection {
  readonly sessions: Readonly<
    Record<string, { conversationId: string; fence: number; isAway: boolean; nodeId: string }>
  >;
  readonly conversations: Readonly<Record<string, readonly [string, string]>>;
  readonly waits: Readonly<Record<string, { since: number; seq: number; nodeId: string }>>;
  /** Session ids of the queues of all age bands; one that is listed twice is returned twice. */
  readonly inQueue: readonly string[];
  /** Members of all indexes together. */
  readonly indexed: number;
  /** Tags of all waiting visitors together. */
  readonly tagged: number;
  readonly due: readonly string[];
  readonly pendingMatches: readonly string[];
  /** Conversations that not both sides have confirmed. */
  readonly unconfirmed: readonly string[];
  readonly placed: readonly string[];
  readonly away: readonly string[];
  readonly tokens: Readonly<Record<string, string>>;
}

/** Ids that are the same in every run. */
export function countedIds(): IdSource {
  let count = 0;
  const next = (prefix: string) => `${prefix}${String(++count).padStart(6, '0')}`;
  return {
    session: () => next('s_') as SessionRef['sessionId'],
    conversation: () => next('c_') as ConversationId,
    resume: () => next('r_') as ResumeToken,
    node: () => next('n_') as NodeId,
    operation: () => next('o_'),
  };
}

const [FIRST_STEP] = DEFAULT_MATCH_RULES.expansions;
const FREE: MatchRules = {
  ...DEFAULT_MATCH_RULES,
  expansions: [
    { ...FIRST_STEP!, reach: 'site', isInterestNeeded: false, isLanguageNeeded: false, isRepeatAllowed: true },
  ],
};

/** Rules of the sites: everything at once; step by step; with a mandatory common language. */
export const RULES: Readonly<Record<'free' | 'steps' | 'hard', MatchRules>> = {
  free: FREE,
  steps: DEFAULT_MATCH_RULES,
  hard: { ...FREE, isLanguageHard: true },
};
