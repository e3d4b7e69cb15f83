/** Returns data from Redis without the first reply that contains this text. */
export function withoutReply(chunk: Buffer, words: string): Buffer {
  const text = chunk.toString('latin1');
  for (let from = 0; from < text.length;) {
    const end = endOfReply(text, from);
    if (text.slice(from, end).includes(words)) return Buffer.concat([chunk.subarray(0, from), chunk.subarray(end)]);
    from = end;
  }
  throw new Error(`no reply of Redis has the words ${JSON.stringify(words)} in it`);
}

/** Index after the reply that begins at `from`, in the form of RESP2. */
function endOfReply(text: string, from: number): number {
  const afterLine = text.indexOf('\r\n', from) + 2;
  if (afterLine === 1) throw new Error('a reply of Redis that is not whole');
  const size = Number(text.slice(from + 1, afterLine));
  if (text[from] === '$') return size < 0 ? afterLine : afterLine + size + 2;
  let end = afterLine;
  if (text[from] === '*') for (let n = 0; n < size; n++) end = endOfReply(text, end);
  return end;
}
