/** WebSocket frame of a client. Its mask is all zeros, which leaves the payload unchanged. */
export function webSocketFrame(
  opcode: number,
  payload: string,
  { isLast = true, isCompressed = false }: { isLast?: boolean; isCompressed?: boolean } = {},
): Buffer {
  const data = Buffer.from(payload);
  const first = (isLast ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode;
  const length = Buffer.alloc(data.length < 126 ? 1 : 9);
  if (data.length < 126) length[0] = 0x80 | data.length;
  else length.fill(0x80 | 127, 0, 1).writeBigUInt64BE(BigInt(data.length), 1);
  return Buffer.concat([Buffer.of(first), length, Buffer.alloc(4), data]);
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, ping: 9 } as const;
