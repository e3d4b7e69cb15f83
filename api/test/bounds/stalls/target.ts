/** Attacked service, from the attackers' point of view. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly site: string;
  readonly origin: string;
}

/** Head of a request to the service, and its body. */
export function requestOf(
  { site, origin }: Target,
  method: string,
  path: string,
  { headers = [], body }: { readonly headers?: readonly string[]; readonly body?: string } = {},
): string {
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [`${method} ${path.replace('SITE', site)} HTTP/1.1`, 'Host: service', `Origin: ${origin}`];
  return `${[...lines, ...headers, ...length].join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** Request that upgrades a connection to a WebSocket. */
export function upgradeOf(target: Target): string {
  return requestOf(target, 'GET', '/socket.io/?EIO=4&transport=websocket&site=SITE', {
    headers: [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ],
  });
}
