import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts listening. Resolves to the origin of the server, such as `http://127.0.0.1:3000`. Rejects if it cannot listen. */
export function listen(server: Server, port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(originOf(server.address() as AddressInfo));
    });
  });
}

function originOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
