import { DEFAULT_MATCH_RULES, type MatchRules } from '../../src/matching/rules.ts';
import type { IdSource } from '../../src/domain/id-source.ts';
import type { NodeId, SiteId } from '../../src/domain/ids.ts';
import type { SessionRef } from '../../src/domain/session.ts';
import type { StateStore } from '../../src/state/state-store.ts';
import type { ConversationId, ResumeToken } from '@passerby/sdk/protocol';

export const SITES = ['pk_test_one', 'pk_test_two'] as SiteId[];
/** The first sweeps; the second may die. */
export const NODES = ['n_1', 'n_2'] as NodeId[];

/** When a run begins. Any moment of the present century has as many digits. Unix milliseconds. */
export const EPOCH = 1_700_000_000_000;

/** A store and all it is told of the world: time that stands until it is moved, ids that are counters. */
export interface World {
  readonly store: StateStore;
  readonly now: () => number;
  advance(ms: number): void;
  /** What the store holds of a site, read without the store's own doing; `null` if it cannot be read so. */
  inspect(site: SiteId): Promise<Inspection | null>;
  /** How many records a store in memory holds, all sites together; `null` elsewhere. */
  sizes(): Sizes | null;
  /** True if a node that is not heard of dies. */
  readonly hasLeases: boolean;
}

export interface Sizes {
  readonly sessions: number;
  readonly tokens: number;
  readonly away: number;
  readonly sites: number;
  readonly waiting: number;
  readonly inLine: number;
  readonly conversations: number;
}

/** One site as its keys say it. */
export interface Inspection {
  readonly sessions: Readonly<
    Record<string, { conversationId: string; fence: number; isAway: boolean; nodeId: string }>
  >;
  readonly conversations: Readonly<Record<string, readonly [string, string]>>;
  readonly waits: Readonly<Record<string, { since: number; seq: number; nodeId: string }>>;
  /** Session ids by the whole lines of all age bands; one that is there twice is listed twice. */
  readonly inLine: readonly string[];
  /** Members of all indexes together. */
  readonly indexed: number;
  /** Tags of all those in line together. */
  readonly tagged: number;
  readonly due: readonly string[];
  readonly claims: readonly string[];
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

/** What sites of the runs have: everything at once; step by step; with a language that must be shared. */
export const RULES: Readonly<Record<'free' | 'steps' | 'hard', MatchRules>> = {
  free: FREE,
  steps: DEFAULT_MATCH_RULES,
  hard: { ...FREE, isLanguageHard: true },
};
