import { FRAME_EVENT, LIMITS, REQUEST_NAMES, type RequestName } from '@passerby/sdk/protocol';
import { isJsonWithin, type JsonBounds } from '../contract/json-bounds.ts';
import {
  CONNECT_PACKET_CHARS,
  FRAME_PACKET_CHARS,
  OTHER_PACKET_CHARS,
  REQUEST_PACKET_CHARS,
} from '../contract/packet-sizes.ts';
import type { PayloadFault } from '../contract/refused-payload.ts';

/** Verdict on a Socket.IO packet before it is parsed. */
export type PacketVerdict =
  | { readonly kind: 'read' }
  /** Event whose payload is not parsed. It is counted, and answered with a refusal if it asks for an answer. */
  | { readonly kind: 'refused'; readonly name: string; readonly id: number | undefined; readonly why: PayloadFault }
  /** Packet that no client sends. The connection ends. */
  | { readonly kind: 'broken' };

const READ: PacketVerdict = { kind: 'read' };
const BROKEN: PacketVerdict = { kind: 'broken' };
const BOUNDS: JsonBounds = { depthMax: LIMITS.packetDepthMax, valuesMax: LIMITS.packetValuesMax };
const FRAME_BOUNDS: JsonBounds = { depthMax: LIMITS.packetDepthMax, valuesMax: LIMITS.frameValuesMax };

/**
 * Packet type EVENT, an optional acknowledgement number that is an exact integer, and a list that begins with an event
 * name.
 */
const EVENT = /^2(\d{0,15})\[(?:"([a-z]{1,20}:[a-z]{1,20})"[,\]])?/;
const ACK = /^3\d{1,15}\[/;

/**
 * Checks a packet by its length, its nesting and the number of its values, before it is parsed. Every packet but
 * CONNECT has to be of the main namespace, the only one.
 */
export function judgePacket(packet: string): PacketVerdict {
  switch (packet[0]) {
    case '0':
      return packet.length <= CONNECT_PACKET_CHARS && isJsonWithin(packet, BOUNDS) ? READ : BROKEN;
    case '1':
      return packet.length === 1 ? READ : BROKEN;
    case '2':
      return judgeEvent(packet);
    case '3':
      return packet.length <= OTHER_PACKET_CHARS && ACK.test(packet) && isJsonWithin(packet, BOUNDS) ? READ : BROKEN;
    default:
      return BROKEN;
  }
}

function judgeEvent(packet: string): PacketVerdict {
  const [head, digits, name = ''] = EVENT.exec(packet) ?? [];
  if (head === undefined) return BROKEN;
  const why = eventFault(name, packet);
  if (why === null) return READ;
  return { kind: 'refused', name, id: digits === '' ? undefined : Number(digits), why };
}

function eventFault(name: string, packet: string): PayloadFault | null {
  if (packet.length > (CHARS.get(name) ?? OTHER_PACKET_CHARS)) return 'too_large';
  return isJsonWithin(packet, name === FRAME_EVENT ? FRAME_BOUNDS : BOUNDS) ? null : 'too_complex';
}

const CHARS: ReadonlyMap<string, number> = new Map([
  ...REQUEST_NAMES.map((name: RequestName) => [name, REQUEST_PACKET_CHARS[name]] as const),
  [FRAME_EVENT, FRAME_PACKET_CHARS],
]);
