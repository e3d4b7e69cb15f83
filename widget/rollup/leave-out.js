/**
 * Code of libraries that comes along whether or not it is used, and what stands in its place: the SDK names WebSocket and
 * long-polling as its transports, sends nothing binary, and reconnects by itself.
 *
 * @type {readonly (readonly [RegExp, string])[]}
 */
const UNUSED = [
  [/engine\.io-client[/\\].*[/\\]webtransport\.js$/, 'export class WT {}'],
  [/engine\.io-parser[/\\].*[/\\]base64-arraybuffer\.js$/, 'export const decode = () => new ArrayBuffer(0);'],
  [/socket\.io-parser[/\\].*[/\\]binary\.js$/, 'export const deconstructPacket = 0, reconstructPacket = 0;'],
  [/socket\.io-parser[/\\].*[/\\]is-binary\.js$/, 'export const isBinary = () => false, hasBinary = isBinary;'],
  [/socket\.io-client[/\\].*[/\\]backo2\.js$/, 'export class Backoff { setMin() {} setMax() {} setJitter() {} reset() {} }'],
];

/**
 * Leaves that out.
 *
 * @returns {import('rollup').Plugin}
 */
export function leaveOutUnused() {
  return {
    name: 'leave-out-unused',
    load: (id) => UNUSED.find(([file]) => file.test(id))?.[1] ?? null,
  };
}
