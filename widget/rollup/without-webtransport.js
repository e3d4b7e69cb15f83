/**
 * Leaves out engine.io's WebTransport, which comes along whether or not it is used: the SDK names WebSocket
 * and long-polling as its transports. 0.7 kB of brotli.
 *
 * @returns {import('rollup').Plugin}
 */
export function withoutWebtransport() {
  return {
    name: 'without-webtransport',
    load: (id) => (/engine\.io-client[/\\].*[/\\]webtransport\.js$/.test(id) ? 'export class WT {}' : null),
  };
}
