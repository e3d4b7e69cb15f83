import { CONNECTION_LIMITS } from './limits/connection-limits.ts';
import { errorFields, reasonOf, type Log } from './observability/log.ts';
import { RECORDS_BOUNDS } from './records/bounds.ts';

/**
 * Maximum time from the first signal or fault until the process ends, whatever hangs. Milliseconds. Its parts: `DRAIN_MAX_MS`
 * for visitors to go by themselves; then, side by side, `BOUNDS.closeMs` for their connections and `RECORDS_BOUNDS.closeMs`
 * for the database (Redis is let go of at once); and `LATE_MAX_MS`.
 */
export const END_MAX_MS = 9_500;

/** Time by which the parts together may be late on a busy machine. Milliseconds. */
const LATE_MAX_MS = 500;

/** Time after which the process goes whoever is still connected. Milliseconds. */
export const DRAIN_MAX_MS = END_MAX_MS - LATE_MAX_MS - Math.max(CONNECTION_LIMITS.closeMs, RECORDS_BOUNDS.closeMs);

export interface ShutdownParts {
  /** Lets visitors go and closes what is open. Called once. */
  readonly drain: () => Promise<void>;
  readonly log: Log;
  /** Writes a line for the person who sent the signal. */
  readonly say: (line: string) => void;
  /** Ends the process; does not return. */
  readonly exit: (code: 0 | 1) => void;
  /** Returns whether something outside JavaScript would keep `exit` from ending the process. */
  readonly isHeldUp: () => boolean;
  /** Ends the process as it is, without waiting for anything. */
  readonly kill: () => void;
  readonly endMaxMs?: number;
}

/** Interval at which `isHeldUp` is asked once everything is closed. Milliseconds. */
const HELD_UP_CHECK_MS = 50;

/**
 * The end of the process: one drain, whoever asks for it, and one deadline for all of it. A signal ends with
 * code 0, a fault and a missed deadline with 1. Signals during the drain are ignored, with one line: a second
 * SIGTERM, or Ctrl-C after it, cuts no visitor. A second fault ends the process at once.
 */
export class Shutdown {
  readonly #parts: ShutdownParts;
  #cause: 'none' | 'signal' | 'fault' = 'none';
  #isRepeatSaid = false;

  constructor(parts: ShutdownParts) {
    this.#parts = parts;
  }

  /** The process was asked to end. */
  signal(name: NodeJS.Signals): void {
    const { say } = this.#parts;
    if (this.#cause === 'none') {
      this.#cause = 'signal';
      say(`${name}: draining`);
      this.#end(0);
    } else if (!this.#isRepeatSaid) {
      this.#isRepeatSaid = true;
      say(`${name}: already draining, ends within 10 s; only SIGKILL is faster`);
    }
  }

  /** Something was thrown, or a promise was rejected, where nobody listens. */
  fault(thrown: unknown): void {
    const { log } = this.#parts;
    log.error({ error: errorFields(thrown), reason: reasonOf(thrown) }, 'uncaught error: draining, then ending');
    if (this.#cause === 'fault') {
      this.#exitNow();
      return;
    }
    const isDraining = this.#cause === 'signal';
    this.#cause = 'fault';
    if (!isDraining) this.#end(1);
  }

  #exitNow(): void {
    const { exit, isHeldUp, kill } = this.#parts;
    if (isHeldUp()) kill();
    else exit(1);
  }

  #end(code: 0 | 1): void {
    const { drain, log, exit, isHeldUp, endMaxMs = END_MAX_MS } = this.#parts;
    setTimeout(() => {
      log.error({}, 'shutdown deadline passed: ending the process');
      this.#exitNow();
    }, endMaxMs);
    // A fault in the meantime makes it a failure.
    const codeNow = () => (this.#cause === 'fault' ? 1 : code);
    const exitOnceFree = (code: 0 | 1) => {
      if (isHeldUp()) setTimeout(() => exitOnceFree(code), HELD_UP_CHECK_MS);
      else exit(code);
    };
    drain().then(
      () => exitOnceFree(codeNow()),
      (thrown: unknown) => {
        log.error({ error: errorFields(thrown), reason: reasonOf(thrown) }, 'drain failed');
        exitOnceFree(1);
      },
    );
  }
}

/** Requests that run on threads of their own: `process.exit` waits for them, and a dead name server or disk for ever. */
const ON_A_THREAD = /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/;

export function isThreadBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => ON_A_THREAD.test(name));
}
