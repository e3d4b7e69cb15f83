import type { App } from '../../src/app.ts';
import { Visitor } from '../harness.ts';
import { pause } from './patience.ts';

/** Refusals that a store in trouble, or a visitor in an unexpected state, may get. */
const EXPECTED = new Set([
  'unavailable',
  'already_in_conversation',
  'not_in_conversation',
  'session_gone',
  'rate_limited',
]);
const PAUSE_MS = 20;

/** Crowd of visitors who search, leave, and come back when their connection is lost, until they are stopped. */
export class Restless {
  /** Refusals received so far. */
  readonly refusals = new Set<string>();
  /** Violations: requests without an answer, and refusals of another kind. */
  readonly violations: string[] = [];
  readonly #searches = new Map<number, number>();
  readonly #all: Promise<void>[];
  #isOver = false;

  constructor(apps: readonly Pick<App, 'url'>[], count: number) {
    this.#all = Array.from({ length: count }, (_, n) => this.#live(n, apps[n % apps.length]!));
  }

  /** Successful searches of each visitor so far. */
  get searches(): readonly number[] {
    return this.#all.map((_, n) => this.#searches.get(n) ?? 0);
  }

  /** Returns the visitors without a successful search since these were taken. */
  unserved(since: readonly number[]): readonly number[] {
    return this.searches.flatMap((count, n) => (count > since[n]! ? [] : [n]));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#all);
  }

  async #live(n: number, app: Pick<App, 'url'>): Promise<void> {
    let resume: string | undefined;
    while (!this.#isOver) {
      const visitor = new Visitor(app, { auth: resume === undefined ? {} : { resume } });
      try {
        ({ resume } = await visitor.becomeReady());
        while (!this.#isOver && visitor.socket.connected) await this.#step(n, visitor);
      } catch {
        // Refused on arrival, or cut in the middle: a visitor comes again.
        const refused = visitor.all('session:refused').at(-1);
        if (refused !== undefined) this.#met(refused.code);
        if (refused?.code === 'session_gone') resume = undefined;
      } finally {
        visitor.socket.disconnect();
      }
      await pause(PAUSE_MS);
    }
  }

  async #step(n: number, visitor: Visitor): Promise<void> {
    const started = visitor.all('conversation:started').at(-1);
    const replies = [
      () => visitor.find(),
      () =>
        started === undefined
          ? visitor.ask('match:cancel', {})
          : visitor.ask('conversation:leave', { conversationId: started.conversationId }),
    ];
    for (const ask of replies) {
      // What is asked without a connection is kept for the next one, which this visitor never makes.
      if (!visitor.socket.connected) throw new Error('cut');
      const reply = await ask().catch(() => null);
      if (reply === null) {
        // Without a connection there is nobody to answer.
        if (visitor.socket.connected) this.violations.push(`a request of visitor ${n} was not answered`);
        throw new Error('not answered');
      }
      if (!reply.ok) this.#met(reply.error.code);
      else if (ask === replies[0]) this.#searches.set(n, (this.#searches.get(n) ?? 0) + 1);
    }
    await pause(PAUSE_MS);
  }

  #met(code: string): void {
    this.refusals.add(code);
    if (!EXPECTED.has(code)) this.violations.push(`refused with ${code}`);
  }
}
