import { LIMITS, REQUEST_NAMES } from '@passerby/sdk/protocol';
import { describe, expect, it } from 'vitest';
import { FRAME_PACKET_CHARS, OTHER_PACKET_CHARS, REQUEST_PACKET_CHARS } from '../contract/packet-sizes.ts';
import { REQUEST_SCHEMAS } from '../contract/requests.ts';
import { judgePacket } from './packet-bounds.ts';

const ID = `c_${'x'.repeat(22)}`;
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const many = (values: number) => `[${Array.from({ length: values }, () => 0).join(',')}]`;
/** Character that JSON escapes as six. */
const ESCAPED = '\u0001';
const filled = (chars: number, name: string) => {
  const [start, end] = [`2["${name}",{"x":"`, '"}]'];
  return start + 'x'.repeat(chars - start.length - end.length) + end;
};

/** Longest payloads that the schemas accept. */
const LONGEST: Readonly<Record<string, unknown>> = {
  'match:find': {
    requestId: 'r'.repeat(64),
    interests: Array.from({ length: LIMITS.interestsMax }, () => ESCAPED.repeat(LIMITS.interestMaxChars)),
    languages: Array.from({ length: LIMITS.languagesMax }, () => ESCAPED.repeat(LIMITS.languageMaxChars)),
    topic: ESCAPED.repeat(LIMITS.topicMaxChars),
    is: ESCAPED.repeat(LIMITS.interestMaxChars),
    seeks: Array.from({ length: LIMITS.seeksMax }, () => ESCAPED.repeat(LIMITS.interestMaxChars)),
  },
  'match:cancel': {},
  'conversation:block': { conversationId: ID },
  'conversation:report': {
    conversationId: ID,
    reason: 'harassment',
    comment: 'é'.repeat(LIMITS.commentMaxChars),
    messages: Array.from({ length: LIMITS.reportMessagesMax }, () => ({
      from: 'peer',
      text: 'x'.repeat(LIMITS.textMaxChars),
    })),
  },
  'session:agree': { rules: 'r'.repeat(40), ageBand: ESCAPED.repeat(LIMITS.ageBandMaxChars) },
  'session:challenge': {},
  'session:prove': { solution: 's'.repeat(4_000) },
  'session:check': {},
  'session:close': {},
};
const longest = (name: string): unknown =>
  name === 'conversation:leave' ? { conversationId: ID, next: LONGEST['match:find'] } : LONGEST[name];

describe('S29 judgePacket', () => {
  it.each(REQUEST_NAMES)('reads the longest %s that its schema lets through', (name) => {
    const payload = longest(name);
    expect(REQUEST_SCHEMAS[name].safeParse(payload).success).toBe(true);
    expect(judgePacket(`2999999${JSON.stringify([name, payload])}`)).toEqual({ kind: 'read' });
  });

  it.each(REQUEST_NAMES)('refuses a longer %s by its length', (name) => {
    expect(judgePacket(filled(REQUEST_PACKET_CHARS[name], name))).toEqual({ kind: 'read' });
    expect(judgePacket(filled(REQUEST_PACKET_CHARS[name] + 1, name))).toMatchObject({
      kind: 'refused',
      why: 'too_large',
    });
  });

  it('reads the longest text in a frame, and refuses a longer frame by its length', () => {
    const envelope = {
      conversationId: ID,
      run: 'r'.repeat(32),
      peerRun: 'r'.repeat(32),
      seq: LIMITS.seqMax,
      ack: LIMITS.seqMax,
    };
    const body = { kind: 'text', text: ESCAPED.repeat(LIMITS.textMaxChars) };
    expect(judgePacket(`2${JSON.stringify(['conversation:frame', { ...envelope, body }])}`)).toEqual({ kind: 'read' });
    const refused = { kind: 'refused', name: 'conversation:frame', id: undefined, why: 'too_large' };
    expect(judgePacket(filled(FRAME_PACKET_CHARS + 1, 'conversation:frame'))).toEqual(refused);
  });

  it.each([
    ['nests too deep', `25["match:find",${deep(LIMITS.packetDepthMax)}]`, 'match:find'],
    ['holds too many values', `25["match:find",${many(LIMITS.packetValuesMax)}]`, 'match:find'],
    ['is a frame of too many values', `25["conversation:frame",${many(LIMITS.frameValuesMax)}]`, 'conversation:frame'],
    ['is of a name there is none of and nests too deep', `25["admin:shutdown",${deep(99)}]`, 'admin:shutdown'],
    ['is of a name in other letters and nests too deep', `25["match\\u003afind",${deep(99)}]`, ''],
  ])('refuses an event that %s, and returns its acknowledgement number', (_, packet, name) => {
    expect(judgePacket(packet)).toEqual({ kind: 'refused', name, id: 5, why: 'too_complex' });
  });

  it('accepts an event of maximum depth and number of values', () => {
    expect(judgePacket(`2["match:find",${deep(LIMITS.packetDepthMax - 1)}]`)).toEqual({ kind: 'read' });
    expect(judgePacket(`2["match:find",${many(LIMITS.packetValuesMax - 4)}]`)).toEqual({ kind: 'read' });
  });

  it.each([
    ['nothing', ''],
    ['a type there is none of', '9'],
    ['a refusal, which servers send', '4{"message":"x"}'],
    ['binary attachments', '51-["x"]'],
    ['an event of another namespace', '2/admin,["match:cancel",{}]'],
    ['an event that is no list', '2{"0":"match:cancel"}'],
    ['an acknowledgement number beyond exact ones', `2${'9'.repeat(16)}["match:cancel",{}]`],
    ['a space for an acknowledgement number', '2 ["match:cancel",{}]'],
    ['a negative acknowledgement number', '2-1["match:cancel",{}]'],
    ['an answer without a number', '3[]'],
    ['an answer under a number of 400 digits', `3${'9'.repeat(400)}[]`],
    ['an answer longer than any', `31["${'x'.repeat(OTHER_PACKET_CHARS)}"]`],
    ['an answer that nests too deep', `31${deep(99)}`],
    ['a goodbye with something in it', '1{}'],
    ['a CONNECT that nests too deep', `0{"version":1,"x":${deep(99)}}`],
    ['a CONNECT longer than any', `0{"version":1,"x":"${'x'.repeat(5_000)}"}`],
  ])('ends the connection for %s', (_, packet) => {
    expect(judgePacket(packet)).toEqual({ kind: 'broken' });
  });
});
