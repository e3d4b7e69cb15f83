import type { App } from '../../src/app.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../../src/matching/rules.ts';
import { requestId, Visitor } from '../harness.ts';

/** Rules by which only visitors of the same page are matched, so that each visit is of two. */
export const SAME_PAGE: MatchRules = {
  ...DEFAULT_MATCH_RULES,
  expansions: [{ afterMs: 0, reach: 'topic', isInterestNeeded: false, isLanguageNeeded: false, isRepeatAllowed: true }],
};

/** Maximum number of simultaneous visits. */
const AT_ONCE = 20;

interface Two {
  readonly app: App;
  readonly a: Visitor & { readonly ready: { readonly resume: string } };
  readonly b: Visitor;
  readonly conversationId: Awaited<ReturnType<typeof started>>;
  readonly topic: string;
}

/** Ways in which a conversation, and with it a visit, ends. */
const WAYS = {
  closed: async ({ a, b }) => {
    await a.ask('session:close', {});
    await b.ask('session:close', {});
  },
  left: async ({ a, b, conversationId }) => {
    await a.ask('conversation:leave', { conversationId });
    await b.next('conversation:ended');
    await a.ask('session:close', {});
    await b.ask('session:close', {});
  },
  skipped: async ({ a, b, conversationId, topic }) => {
    await a.ask('conversation:leave', { conversationId, next: { requestId: requestId(), topic } });
    await b.next('conversation:ended');
    await a.ask('session:close', {});
    await b.ask('session:close', {});
  },
  blocked: async ({ a, b, conversationId, topic }) => {
    await a.ask('conversation:block', { conversationId });
    await a.find({ topic });
    await b.find({ topic });
    await b.ask('session:close', {});
    await a.ask('session:close', {});
  },
  resumed: async ({ app, a, b }) => {
    a.cut();
    await using back = await Visitor.arrive(app, { auth: { resume: a.ready.resume } });
    await back.ask('session:close', {});
    await b.ask('session:close', {});
  },
  lost: async ({ a, b, conversationId, topic }) => {
    a.cut();
    await b.ask('conversation:leave', { conversationId, next: { requestId: requestId(), topic } });
  },
  gone: async ({ a, b }) => {
    a.cut();
    await b.next('conversation:peer');
    b.cut();
  },
} as const satisfies Record<string, (two: Two) => Promise<void>>;
type Ending = keyof typeof WAYS;

export const ENDINGS = Object.keys(WAYS) as readonly Ending[];
/** Ways after which nobody is waited for. */
export const ENDINGS_WITH_WORD = ENDINGS.filter((ending) => !['lost', 'gone'].includes(ending));

/** Makes visits by two each: they connect, are matched, talk, and end it in each of the ways in turn. */
export async function makeVisits(app: App, count: number, endings: readonly Ending[]): Promise<void> {
  let next = 0;
  const oneAfterTheOther = async () => {
    while (next < count) {
      const visit = next++;
      await makeVisit(app, `/visit/${visit}`, endings[visit % endings.length]!);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, oneAfterTheOther));
}

async function makeVisit(app: App, topic: string, ending: Ending): Promise<void> {
  await using a = await Visitor.arrive(app);
  await using b = await Visitor.arrive(app);
  await a.find({ topic });
  await b.find({ topic });
  await a.next('conversation:started');
  const conversationId = await started(b);
  a.say(conversationId, 1, topic);
  await b.next('conversation:frame');
  await WAYS[ending]({ app, a, b, conversationId, topic });
}

const started = async (visitor: Visitor) => (await visitor.next('conversation:started')).conversationId;
