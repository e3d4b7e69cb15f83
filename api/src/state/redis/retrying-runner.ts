import { isBug, Refusal, RETRY_AFTER_MS } from '../../errors.ts';
import type { IdSource } from '../../domain/id-source.ts';
import type { SiteId } from '../../domain/ids.ts';
import type { ScriptRunner } from './cached-script.ts';
import { ForeignAnswer, renewConnection } from './foreign-answer.ts';
import type { ScriptReply } from './script.ts';
import { type ScriptName, SCRIPTS } from './scripts.ts';
import { isScriptFault } from './store-fault.ts';

export interface RetryingRunnerOptions {
  /** Offset to the clock of Redis, for tests only. Milliseconds. */
  readonly skewMs?: () => number;
  /** Scripts; tests replace them by broken ones. */
  readonly scripts?: typeof SCRIPTS;
  /** Time for which a request with unknown outcome is retried before the caller is told; 0 for no retry. Milliseconds. */
  readonly retryMs?: number;
}

const RETRY_MS = 800;
const RETRY_PAUSE_MS = 50;

/** Runs scripts, each as one operation: while its outcome is unknown, it is retried under the same operation id. */
export class RetryingRunner {
  readonly #runner: ScriptRunner;
  readonly #ids: Pick<IdSource, 'operation'>;
  readonly #skewMs: () => number;
  readonly #scripts: typeof SCRIPTS;
  readonly #retryMs: number;

  constructor(runner: ScriptRunner, ids: Pick<IdSource, 'operation'>, options: RetryingRunnerOptions) {
    this.#runner = runner;
    this.#ids = ids;
    this.#skewMs = options.skewMs ?? (() => 0);
    this.#scripts = options.scripts ?? SCRIPTS;
    this.#retryMs = options.retryMs ?? RETRY_MS;
  }

  /** @throws Refusal as the script answers; `unavailable` if the outcome stays unknown. */
  async run(name: ScriptName, site: SiteId, args: Readonly<Record<string, string | number>>): Promise<ScriptReply> {
    const call = { site, operation: this.#ids.operation(), skewMs: this.#skewMs(), args };
    const deadline = performance.now() + this.#retryMs;
    for (;;) {
      try {
        const reply = await this.#scripts[name].run(this.#runner, call);
        if (reply.tag === 'refused') throw new Refusal(reply.fields[0] as Refusal['code']);
        return reply;
      } catch (thrown) {
        // A retry gives the same.
        if (thrown instanceof Refusal || isBug(thrown) || isScriptFault(thrown)) throw thrown;
        if (thrown instanceof ForeignAnswer) renewConnection(this.#runner);
        if (isWrongType(thrown) && name !== 'drop-foreign') await this.run('drop-foreign', site, {});
        if (performance.now() > deadline)
          throw new Refusal('unavailable', { retryAfterMs: RETRY_AFTER_MS, cause: thrown });
        await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
      }
    }
  }
}

/** Returns whether a script failed because a key of the site has a foreign value of another type. */
function isWrongType(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith('WRONGTYPE');
}
