import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Web server of a site owner who embeds the chat. Knows nothing of Passerby but the script tag. */
export interface SiteOwner extends AsyncDisposable {
  /** `http://127.0.0.1:<free port>` */
  readonly origin: string;
  /** Origin of the same server that is on no site's list. */
  readonly foreignOrigin: string;
  /** Serves one more document. Returns its address. */
  readonly serve: (document: ServedDocument) => string;
}

export interface ServedDocument {
  readonly body: string;
  /** The media type. */
  readonly type?: string;
  /** The Content Security Policy. */
  readonly policy?: string;
}

/** Serves `/`, a second page `/more`, and, under the strictest possible policy, `/strict`; all take `?api=…&site=…`. */
export async function startSiteOwner(): Promise<SiteOwner> {
  const served = new Map<string, ServedDocument>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/favicon.ico') {
      response.writeHead(204).end();
      return;
    }
    const document = served.get(pathname);
    if (document) {
      const { body, type = 'text/html', policy } = document;
      response.writeHead(200, {
        'content-type': `${type}; charset=utf-8`,
        ...(policy !== undefined && { 'content-security-policy': policy }),
      });
      response.end(body);
      return;
    }
    const api = searchParams.get('api');
    const site = searchParams.get('site');
    if (!api || !site || !['/', '/more', '/strict'].includes(pathname)) {
      response.writeHead(404).end();
      return;
    }
    const headers: Record<string, string> = { 'content-type': 'text/html; charset=utf-8' };
    if (pathname === '/strict') headers['content-security-policy'] = strictPolicy(api);
    response.writeHead(200, headers).end(page(api, site));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    serve: (document) => {
      const pathname = `/served/${served.size}`;
      served.set(pathname, document);
      return origin + pathname;
    },
    foreignOrigin: `http://localhost:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const strictPolicy = (api: string): string =>
  [
    `default-src 'none'`,
    `script-src ${api}`,
    `connect-src ${api} ${api.replace(/^http/, 'ws')}`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ].join('; ');

const page = (api: string, site: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Lanterns and maps</title>
    <script async src="${api}/widget.js" data-site="${site}"></script>
  </head>
  <body>
    <main>
      <h1>Lanterns and maps</h1>
      <p>Everything for the long way home.</p>
    </main>
  </body>
</html>
`;
