import type { StoreFault } from '@passerby/sdk/protocol';
import { type NodeBusFault, type NodeBus, noNodeBus, type NodeMessage } from './cluster/node-bus.ts';
import type { MonotonicClock } from './clock.ts';
import { ownSalts, type SaltSource } from './privacy/salts.ts';
import { randomIds } from './domain/id-source.ts';
import { MemoryStore } from './state/memory/memory-store.ts';
import type { RedisClient } from './state/redis/redis-client.ts';
import type { NodeId } from './domain/ids.ts';
import type { StateStore } from './state/state-store.ts';

/** State store and node bus of a service, and what else depends on where they are. */
export interface Backend {
  readonly name: string;
  readonly store: StateStore;
  readonly bus: NodeBus;
  readonly salts: SaltSource;
  /** Redis for the counts that all nodes share; `null` for a single node. */
  readonly redis: RedisClient | null;
  /** True if the sites are on several servers, of which one may be unreachable. */
  readonly isSharded: boolean;
  /** Fault that keeps the store from being reached at this moment; `null` if there is none, as far as is known. */
  reachFault(): StoreFault | null;
  /** Returns the fault by which no messages of other processes arrive; `undefined` if there is none, or no other process. */
  busFault(): NodeBusFault | undefined;
  /** Makes a minimal write. Rejects if the store takes no writes. */
  probe(): Promise<unknown>;
  /**
   * Resolves to a command that a script calls and the user of the store may not run; `null` if there is none. Rejects if
   * that cannot be determined.
   */
  missingRight(): Promise<string | null>;
  /** Calls the listener whenever a server of the store is connected, also after a reconnect. */
  onReached(listener: () => void): void;
  /** Returns the fault that explains a failure of the store. */
  faultOf(thrown: unknown): StoreFault;
  /** Subscribes to the messages for this node. Rejects with an `Error` for operators. */
  listen(node: NodeId, take: (message: NodeMessage) => void): Promise<void>;
  /** Runs a step of the start that needs the store, and retries it for a while. Rejects with an `Error` for operators. */
  atStart(step: () => Promise<void>): Promise<void>;
  close(): void;
}

/** Creates a backend in the memory of this process. */
export function memoryBackend(clock: MonotonicClock): Backend {
  return {
    name: 'memory',
    store: new MemoryStore(clock, randomIds),
    bus: noNodeBus,
    salts: ownSalts,
    redis: null,
    isSharded: false,
    reachFault: () => null,
    busFault: () => undefined,
    probe: () => Promise.resolve(),
    missingRight: () => Promise.resolve(null),
    onReached: () => undefined,
    faultOf: () => 'UNKNOWN',
    listen: () => Promise.resolve(),
    atStart: (step) => step(),
    close: () => undefined,
  };
}
