/**
 * Unused code of libraries that tree shaking keeps, and its replacement: the SDK names WebSocket and long-polling as
 * its transports, and sends nothing binary.
 *
 * @type {readonly (readonly [RegExp, string])[]}
 */
const UNUSED = [
  [/engine\.io-client[/\\].*[/\\]webtransport\.js$/, 'export class WT {}'],
  [/engine\.io-parser[/\\].*[/\\]base64-arraybuffer\.js$/, 'export const decode = () => new ArrayBuffer(0);'],
];

/** Errors whose message is for the site owner, in the console. For the others visitors see the widget's own texts. */
const WITH_MESSAGE = ['origin_refused', 'key_revoked', 'claims_refused'];

/**
 * Removes that code, and from the SDK's table of errors what only developers or HTTP need.
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
