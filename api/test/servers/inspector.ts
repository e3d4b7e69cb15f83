import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { ServiceProcess } from '../../../.config/test/service-process.ts';

/** Service in the test's own process, open to inspection. Ends with the test, also after a timeout. */
export async function startInspected(
  env: Readonly<Record<string, string>> = {},
): Promise<{ node: ServiceProcess; inspector: Inspector }> {
  const node = await ServiceProcess.start({ NODE_OPTIONS: '--inspect=127.0.0.1:0', ...env });
  onTestFinished(() => node.stop());
  return { node, inspector: await Inspector.of(node) };
}

/** Inspects a process from outside, so that the service needs no interface for it. */
export class Inspector {
  readonly #socket: WebSocket;
  #calls = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    // The end of the process may come as an error; a close follows it, and that is what calls wait for.
    socket.on('error', () => undefined);
  }

  static async of(node: ServiceProcess): Promise<Inspector> {
    const address = /Debugger listening on (ws:\S+)/.exec(node.output)?.[1];
    if (address === undefined) throw new Error(`the process cannot be looked into: ${node.output}`);
    const socket = new WebSocket(address, { perMessageDeflate: false });
    await once(socket, 'open');
    return new Inspector(socket);
  }

  /** Returns the bytes in use after a garbage collection: objects, and buffers beside them. */
  async liveBytes(): Promise<number> {
    await this.#call('HeapProfiler.collectGarbage', {});
    return this.evaluate('(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())');
  }

  /** Returns the value of an expression in the process, as JSON. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result } = (await this.#call('Runtime.evaluate', { expression, returnByValue: true })) as {
      result: { value: Value };
    };
    return result.value;
  }

  /** Detaches. A process under inspection waits for that before it ends. */
  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #call(method: string, params: object): Promise<unknown> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      const read = (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { id?: number; result?: unknown; error?: unknown };
        if (message.id !== id) return;
        this.#socket.off('message', read);
        this.#socket.off('close', gone);
        if (message.error === undefined) resolve(message.result);
        else reject(new Error(JSON.stringify(message.error)));
      };
      const gone = () => reject(new Error('the process is gone'));
      this.#socket.on('message', read);
      this.#socket.once('close', gone);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
