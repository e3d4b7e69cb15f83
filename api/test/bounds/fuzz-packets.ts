import { FRAME_EVENT, REQUEST_NAMES } from '@passerby/sdk/protocol';

/** Returns a number from 0 to below 1. */
export type Chance = () => number;
/** Packet, sent as text whatever its bytes are. */
export type FuzzedPacket = string | Buffer;

const ID = `c_${'x'.repeat(22)}`;

/** Packets as a well-behaved visitor might send them, and slightly changed ones. */
const VALID = [
  '40{"version":1}',
  `40{"version":1,"resume":"r_${'x'.repeat(43)}"}`,
  '420["match:find",{"requestId":"request-1","interests":["jazz"],"languages":["en"],"topic":"/a"}]',
  '421["match:cancel",{}]',
  `422["conversation:leave",{"conversationId":"${ID}","next":{"requestId":"request-2"}}]`,
  `423["conversation:block",{"conversationId":"${ID}"}]`,
  `42["conversation:frame",{"conversationId":"${ID}","run":"r","seq":1,"ack":0,"body":{"kind":"text","text":"hi"}}]`,
  `42["conversation:frame",{"conversationId":"${ID}","run":"r","seq":0,"ack":0,"body":{"kind":"typing","on":true}}]`,
  '430[]',
  '2',
  '3',
] as const;

const NAMES = [...REQUEST_NAMES, FRAME_EVENT] as const;
/** Event names without a listener, and names with a meaning to an object or an emitter. */
const ODD_NAMES = [
  'admin:shutdown',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'error',
  'connect',
  'disconnect',
  'disconnecting',
  'newListener',
  '',
  '\0',
] as const;

const NAMESPACES = ['/', '/admin', '/__proto__', '/constructor', '/a?b=c', '/%2e%2e', `/${'n'.repeat(5_000)}`] as const;

/** JSON values of a wrong type. */
const VALUES = [
  'null',
  'true',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '""',
  '"\\ud800"',
  '"\\u0000"',
  '[]',
  '{}',
  '[[]]',
  '{"__proto__":{"isPolluted":true}}',
  '{"constructor":{"prototype":{"isPolluted":true}}}',
  '{"requestId":{"__proto__":{"isPolluted":true}}}',
  '{"toString":1,"valueOf":null}',
  '{"toJSON":"x","then":1,"length":-1}',
  '{"_placeholder":true,"num":0}',
  '{"type":"Buffer","data":[1]}',
] as const;

/** Packets that are out of sequence, or never valid. */
const MISPLACED = [
  '',
  '0{"sid":"x"}',
  '1',
  '2probe',
  '3probe',
  '5',
  '6',
  '7',
  'b',
  'bAAAA',
  '4',
  '41',
  '40',
  '40{"version":99}',
  '40[]',
  '40null',
  '44{"message":"x"}',
  '45-["x"]',
  '451-["match:find",{"_placeholder":true,"num":0}]',
  '461-0[{"_placeholder":true,"num":-1}]',
  '4999999999["x"]',
  '43',
  '43[]',
  '43-1[]',
  '431.5[]',
  '43999999999999999999[]',
  '430{"length":3}',
  '42',
  '42[]',
  '42[1,2]',
  '42[null]',
  `42${'9'.repeat(400)}["match:cancel",{}]`,
] as const;

/** Generates packets from a random source: the same ones for the same seed. */
export class PacketFuzzer {
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  next(): FuzzedPacket {
    const roll = this.#chance();
    // Most of what is no event at all ends the connection, so there is less of it than there are kinds.
    if (roll < 0.7) return this.#event();
    if (roll < 0.8) return this.#mutant();
    if (roll < 0.85) return this.pick(MISPLACED);
    if (roll < 0.88) return `4${this.below(2)}${this.pick(NAMESPACES)},${this.#value()}`;
    if (roll < 0.91) return this.#deep();
    if (roll < 0.93) return this.#huge();
    if (roll < 0.96) return this.#bytes();
    return this.pick(VALID);
  }

  /** Returns an integer from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.#chance() * end);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** Event that Socket.IO accepts as one, mostly with an acknowledgement. */
  #event(): string {
    const values = Array.from({ length: this.below(3) + (this.#chance() < 0.8 ? 1 : 0) }, () => this.#value());
    const id = this.#chance() < 0.9 ? String(this.below(1_000)) : '';
    const name = this.pick(this.#chance() < 0.85 ? NAMES : ODD_NAMES);
    return `42${id}[${[JSON.stringify(name), ...values].join(',')}]`;
  }

  #value(): string {
    if (this.#chance() < 0.7) return this.pick(VALUES);
    const keys = ['requestId', 'conversationId', 'next', 'interests', 'seq', 'ack', 'run', 'body', 'kind', '__proto__'];
    const fields = Array.from(
      { length: this.below(6) },
      () => `${JSON.stringify(this.pick(keys))}:${this.pick(VALUES)}`,
    );
    return `{${fields.join(',')}}`;
  }

  /** Valid packet with up to three small changes. */
  #mutant(): FuzzedPacket {
    let bytes: Buffer = Buffer.from(this.pick(VALID));
    for (let changes = 1 + this.below(3); changes > 0; changes--) {
      const at = this.below(bytes.length);
      const [before, rest] = [bytes.subarray(0, at), bytes.subarray(at)];
      const cut = rest.subarray(this.below(Math.min(rest.length, 8)));
      const change = this.below(4);
      if (change === 0) bytes = Buffer.concat([before, cut]);
      else if (change === 1) bytes = Buffer.concat([before, rest, cut]);
      else if (change === 2) bytes = Buffer.concat([before, Buffer.of(this.below(256)), rest]);
      else
        bytes = Buffer.concat([
          before,
          Buffer.from(this.pick(['"', '{', '}', '[', ']', ',', '\\', '-', '\x1e'])),
          rest,
        ]);
    }
    return bytes;
  }

  #deep(): string {
    const levels = 1 + this.below(15_000);
    const [open, close] = this.pick([
      ['[', ']'],
      ['{"a":', '}'],
    ]);
    const isWhole = this.#chance() < 0.7;
    const middle = `${open!.repeat(Math.min(levels, 6_000))}0${isWhole ? close!.repeat(Math.min(levels, 6_000)) : ''}`;
    return `42${this.below(1_000)}["${this.pick(REQUEST_NAMES)}",${middle}]`;
  }

  #huge(): string {
    const items = this.pick(['0', '""', '{}', '[]', 'null']);
    const list = `[${Array.from({ length: 1 + this.below(12_000) }, () => items).join(',')}]`;
    return `42${this.below(1_000)}["${this.pick(NAMES)}",${this.#chance() < 0.5 ? list : `{"interests":${list}}`}]`;
  }

  #bytes(): Buffer {
    const bytes = Buffer.from(Array.from({ length: this.below(60) }, () => this.below(256)));
    return this.#chance() < 0.5 ? bytes : Buffer.concat([Buffer.from('42'), bytes]);
  }
}
