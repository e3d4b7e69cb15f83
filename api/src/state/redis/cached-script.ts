import { createHash } from 'node:crypto';

/** Commands of a Redis client that scripts need; a Cluster client has them too. */
export interface ScriptRunner {
  readonly status?: string;
  evalsha(sha: string, keyCount: number, ...rest: string[]): Promise<unknown>;
  eval(text: string, keyCount: number, ...rest: string[]): Promise<unknown>;
  /** Closes the connection, and with `reconnect` opens a new one. */
  disconnect?(reconnect: boolean): void;
}

/** Runs a Lua text with its KEYS and ARGV. */
export type RunText = (
  runner: ScriptRunner,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/** Returns a runner of a Lua text by its hash (EVALSHA), which sends the text only to a Redis that has not cached it. */
export function cachedScript(text: string): RunText {
  const sha = createHash('sha1').update(text).digest('hex');
  // Of all who find the script missing at once, one sends its text and the others wait for that.
  let loading: Promise<unknown> | null = null;
  return async (runner, keys, args) => {
    const rest = [...keys, ...args.map(String)];
    const bySha = () => runner.evalsha(sha, keys.length, ...rest);
    const byText = () => runner.eval(text, keys.length, ...rest);
    try {
      return await bySha();
    } catch (thrown) {
      if (!isUnknownScript(thrown)) throw thrown;
    }
    if (loading === null) {
      loading = byText().finally(() => (loading = null));
      return loading;
    }
    try {
      return await loading.then(bySha, bySha);
    } catch (thrown) {
      // What was loaded is on another server of a Cluster, or was not loaded after all.
      if (!isUnknownScript(thrown)) throw thrown;
      return byText();
    }
  };
}

const isUnknownScript = (thrown: unknown) => thrown instanceof Error && thrown.message.startsWith('NOSCRIPT');
