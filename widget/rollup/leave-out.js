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
  [
    /socket\.io-client[/\\].*[/\\]backo2\.js$/,
    'export class Backoff { setMin() {} setMax() {} setJitter() {} reset() {} }',
  ],
];

/** Errors whose message is for the site owner, in the console. Of the others a visitor reads the widget's own words. */
const WITH_MESSAGE = ['origin_refused', 'key_revoked', 'claims_refused'];

/**
 * Leaves that out, and of the SDK's table of errors what only a developer or HTTP reads.
 *
 * @returns {import('rollup').Plugin}
 */
export function leaveOutUnused() {
  return {
    name: 'leave-out-unused',
    load: (id) => UNUSED.find(([file]) => file.test(id))?.[1] ?? null,
    transform(code, id) {
      if (!/sdk[/\\]src[/\\](protocol[/\\])?errors\.ts$/.test(id)) return null;
      const short = code.replace(/^ {2}(\w+): \{[^}]*?message:\s*'[^']*',?\s*\}/gm, (row, name) =>
        WITH_MESSAGE.includes(name)
          ? row
          : row.replace(/message:\s*'[^']*'/, "message: ''").replace(/status: \d+,/, ''),
      );
      return { code: short, map: null };
    },
  };
}
