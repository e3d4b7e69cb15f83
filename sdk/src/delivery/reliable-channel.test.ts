import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ConversationId, type Frame, LIMITS, type Run, TIMES } from '../protocol/index.ts';
import { ReliableChannel, CHANNEL, type ChannelOrigin, type PersistedChannel } from './reliable-channel.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** State of an end as it is stored: with it, the lists of what came and what was acknowledged. */
interface Stored {
  readonly kept: PersistedChannel;
  readonly received: readonly string[];
  readonly acknowledged: readonly string[];
}

interface End {
  readonly channel: ReliableChannel;
  readonly stored: () => Stored;
  /** Each write to the store, with the number of frames that had left before. */
  readonly writes: (Stored & { readonly framesBefore: number })[];
  /** Writes what is dirty, as the page does at the end of each turn. */
  readonly flush: () => void;
  readonly sent: Frame[];
  readonly received: string[];
  readonly acknowledged: string[];
  readonly say: (text: string) => void;
}

/** Its runs are called after it: `me`, and after it was made to start anew `me-2`, `me-3` … */
function end(name = 'me', onSend: (frame: Frame) => void = () => undefined, memory: ChannelOrigin = 'new'): End {
  let runs = 0;
  const sent: Frame[] = [];
  const received: string[] = [];
  const acknowledged: string[] = [];
  const writes: End['writes'] = [];
  let isDirty = false;
  const flush = (): void => {
    if (!isDirty) return;
    isDirty = false;
    const { kept } = channel;
    stored = structuredClone({ kept, received, acknowledged });
    writes.push({ ...stored, framesBefore: sent.length });
  };
  const channel: ReliableChannel = new ReliableChannel({
    conversationId: 'c' as ConversationId,
    memory,
    newRun: () => ((runs += 1) === 1 ? name : `${name}-${runs}`) as Run,
    path: {
      send: (frame) => {
        sent.push(frame);
        onSend(frame);
      },
    },
    store: {
      markDirty: () => {
        isDirty = true;
      },
      flush,
    },
    receive: (body) => received.push(String(body['text'])),
    receiveUnnumbered: (body) => received.push(`(${body.kind})`),
    acknowledged: (entries) => acknowledged.push(...entries.map(({ key }) => key)),
  });
  let stored: Stored = { kept: channel.kept, received: [], acknowledged: [] };
  return {
    channel,
    writes,
    stored: () => stored,
    flush,
    sent,
    received,
    acknowledged,
    say: (text) => channel.post({ key: text, body: { kind: 'text', text } }),
  };
}

function fromPeer(seq: number, ack = 0, run = 'peer', peerRun: string | null = 'me'): Frame {
  const body = seq === 0 ? { kind: 'ack' } : { kind: 'text', text: `p${seq}` };
  const frame = { conversationId: 'c' as ConversationId, run: run as Run, seq, ack, body };
  return peerRun === null ? frame : { ...frame, peerRun: peerRun as Run };
}

const seqs = (frames: readonly Frame[]): number[] => frames.map(({ seq }) => seq);

describe('sending', () => {
  test('sends frames at once, numbered from one', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.say('b');
    expect(seqs(me.sent)).toEqual([1, 2]);
  });

  test('sends nothing without a path, and everything in order with one', () => {
    const me = end();
    me.say('a');
    me.say('b');
    me.channel.postUnnumbered({ kind: 'typing', on: true });
    expect(me.sent).toEqual([]);
    me.channel.up();
    expect(seqs(me.sent)).toEqual([1, 2]);
  });

  test('resends unacknowledged frames when the path is back, with identical content', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.say('b');
    me.say('c');
    me.channel.receive(fromPeer(0, 1));
    me.channel.down();
    me.sent.length = 0;
    me.channel.up();
    expect(me.sent.map(({ seq, run, body }) => [seq, run, body])).toEqual([
      [2, 'me', { kind: 'text', text: 'b' }],
      [3, 'me', { kind: 'text', text: 'c' }],
    ]);
  });

  test('reports an acknowledgement once, in order', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.say('b');
    me.channel.receive(fromPeer(0, 2));
    me.channel.receive(fromPeer(0, 2));
    me.channel.receive(fromPeer(0, 1));
    expect(me.acknowledged).toEqual(['a', 'b']);
  });

  test('ignores an acknowledgement of frames that were never sent', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.channel.receive(fromPeer(0, 2));
    me.channel.receive(fromPeer(0, 2_000_000_000));
    expect(me.acknowledged).toEqual([]);
  });

  test('resends unacknowledged frames with increasing delays', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    const at: number[] = [];
    for (let ms = 0; ms < 60_000; ms += 100) {
      const before = me.sent.length;
      vi.advanceTimersByTime(100);
      if (me.sent.length > before) at.push(ms + 100);
    }
    expect(at).toEqual([2_000, 6_000, 14_000, 30_000, 46_000]);
  });

  test('leaves no timer once all is acknowledged', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.channel.receive(fromPeer(0, 1));
    expect(vi.getTimerCount()).toBe(0);
  });

  test('stops the timers without a path, and restarts them with one', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.channel.receive(fromPeer(1));
    me.channel.down();
    expect(vi.getTimerCount()).toBe(0);
    me.channel.up();
    me.sent.length = 0;
    vi.advanceTimersByTime(CHANNEL.resendMs);
    expect(seqs(me.sent)).toContain(1);
  });

  test('sends a full outbox window by window', () => {
    const me = end();
    for (let count = 1; count <= 100; count += 1) me.say(String(count));
    me.channel.up();
    expect(seqs(me.sent)).toHaveLength(LIMITS.windowFrames);
    me.channel.receive(fromPeer(0, LIMITS.windowFrames));
    expect(seqs(me.sent).at(-1)).toBe(LIMITS.windowFrames * 2);
  });
});

describe('receiving', () => {
  test('I8 accepts each text once and in order, despite repeats and gaps', () => {
    const me = end();
    me.channel.up();
    for (const seq of [1, 1, 3, 2, 3, 2]) me.channel.receive(fromPeer(seq));
    expect(me.received).toEqual(['p1', 'p2', 'p3']);
  });

  test('acknowledges within 200 ms without a frame to send', () => {
    const me = end();
    me.channel.up();
    me.channel.receive(fromPeer(1));
    me.channel.receive(fromPeer(2));
    vi.advanceTimersByTime(TIMES.ackDelayMs - 1);
    expect(me.sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(me.sent).toMatchObject([{ seq: 0, ack: 2, body: { kind: 'ack' } }]);
  });

  test('acknowledges with the next frame, and then not again', () => {
    const me = end();
    me.channel.up();
    me.channel.receive(fromPeer(1));
    me.say('a');
    expect(me.sent).toMatchObject([{ seq: 1, ack: 1 }]);
    vi.advanceTimersByTime(1_000);
    expect(me.sent).toHaveLength(1);
  });

  test('acknowledges a repeat again: the first acknowledgement may have been lost', () => {
    const me = end();
    me.channel.up();
    me.channel.receive(fromPeer(1));
    vi.advanceTimersByTime(TIMES.ackDelayMs);
    me.channel.receive(fromPeer(1));
    vi.advanceTimersByTime(TIMES.ackDelayMs);
    expect(me.sent.map(({ ack }) => ack)).toEqual([1, 1]);
  });

  test('requests the rest of a gap by the acknowledgement', () => {
    const me = end();
    me.channel.up();
    me.channel.receive(fromPeer(1));
    me.channel.receive(fromPeer(5));
    vi.advanceTimersByTime(TIMES.ackDelayMs);
    expect(me.sent).toMatchObject([{ seq: 0, ack: 1 }]);
  });

  test('does not acknowledge an acknowledgement', () => {
    const me = end();
    me.channel.up();
    me.channel.receive(fromPeer(0));
    vi.advanceTimersByTime(60_000);
    expect(me.sent).toEqual([]);
    expect(me.received).toEqual([]);
  });

  test('I9 sends a due acknowledgement at the end, leaves no timer, and reports what was not acknowledged', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.channel.receive(fromPeer(1));
    me.channel.close();
    expect(me.sent.at(-1)).toMatchObject({ seq: 0, ack: 1 });
    expect(vi.getTimerCount()).toBe(0);
    expect(me.channel.unacknowledged.map(({ key }) => key)).toEqual(['a']);
  });
});

describe('peer that lost its memory', () => {
  test('gets unacknowledged frames again, from one and in a new run', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.say('b');
    me.channel.receive(fromPeer(1, 1));
    me.sent.length = 0;
    me.channel.receive(fromPeer(0, 0, 'peer-2', null));
    expect(me.sent).toMatchObject([{ run: 'me-2', peerRun: 'peer-2', seq: 1, ack: 0, body: { text: 'b' } }]);
    me.channel.receive(fromPeer(0, 1, 'peer-2', 'me-2'));
    expect(me.acknowledged).toEqual(['a', 'b']);
  });

  test('is received from its number one', () => {
    const me = end();
    me.channel.up();
    me.channel.receive(fromPeer(1));
    me.channel.receive(fromPeer(1, 0, 'peer-2', null));
    expect(me.received).toEqual(['p1', 'p1']);
    vi.advanceTimersByTime(TIMES.ackDelayMs);
    expect(me.sent.at(-1)).toMatchObject({ peerRun: 'peer-2', ack: 1 });
  });

  test('does not acknowledge renumbered frames by an old acknowledgement', () => {
    const me = end();
    me.channel.up();
    for (const text of ['a', 'b', 'c']) me.say(text);
    me.channel.receive(fromPeer(0, 1));
    me.channel.receive(fromPeer(0, 0, 'peer-2', null));
    me.channel.receive(fromPeer(0, 2, 'peer-2', 'me'));
    expect(me.acknowledged).toEqual(['a']);
  });

  test('gets all frames again from one if it names our run and counts from 0', () => {
    const me = end();
    me.channel.up();
    me.say('a');
    me.say('b');
    me.channel.receive(fromPeer(0, 1));
    me.sent.length = 0;
    me.channel.receive(fromPeer(0, 0, 'peer-2', 'me'));
    expect(me.sent).toMatchObject([{ run: 'me-2', seq: 1, body: { text: 'b' } }]);
  });

  test('is not affected by a late frame that answers our former run', () => {
    const me = end();
    me.channel.up();
    me.channel.receive(fromPeer(0, 0, 'peer-2', 'another'));
    me.channel.receive(fromPeer(1));
    expect(me.received).toEqual(['p1']);
    expect(me.sent).toEqual([]);
  });
});

describe('client that lost its memory', () => {
  const reborn = (): End => end('me', undefined, 'lost');

  test('announces its run until it is answered, with increasing delays', () => {
    const me = reborn();
    me.channel.up();
    expect(me.sent).toMatchObject([{ run: 'me', seq: 0, ack: 0, body: { kind: 'ack' } }]);
    expect(me.sent[0]).not.toHaveProperty('peerRun');
    vi.advanceTimersByTime(CHANNEL.resendMs * 3);
    expect(me.sent).toHaveLength(3);
    me.channel.receive(fromPeer(0, 0, 'peer-2', 'me'));
    vi.advanceTimersByTime(60_000);
    expect(me.sent).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('accepts nothing before the answer, which may have been shown already', () => {
    const me = reborn();
    me.channel.up();
    me.channel.receive(fromPeer(1, 7, 'peer', 'who-i-was'));
    me.channel.receive(fromPeer(1, 0, 'peer', null));
    expect(me.received).toEqual([]);
    me.channel.receive(fromPeer(1, 0, 'peer-2', 'me'));
    me.channel.receive(fromPeer(2, 7, 'peer', 'who-i-was'));
    expect(me.received).toEqual(['p1']);
  });

  test('answers a peer that lost its memory too, or both would wait for ever', () => {
    const me = reborn();
    me.channel.up();
    me.channel.receive(fromPeer(0, 0, 'peer-2', null));
    vi.advanceTimersByTime(TIMES.ackDelayMs);
    expect(me.sent.at(-1)).toMatchObject({ seq: 0, peerRun: 'peer-2' });
  });
});

describe('restored channel', () => {
  test('continues with its run, its undelivered frames, and its last received number', () => {
    const before = end();
    before.channel.up();
    for (const text of ['a', 'b', 'c']) before.say(text);
    before.channel.receive(fromPeer(1, 1));
    const me = end('unused', undefined, structuredClone(before.channel.kept));
    me.channel.up();
    expect(me.sent.map(({ run, seq, ack, body }) => [run, seq, ack, body['text']])).toEqual([
      ['me', 2, 1, 'b'],
      ['me', 3, 1, 'c'],
    ]);
    me.channel.receive(fromPeer(1, 3));
    me.channel.receive(fromPeer(2, 3));
    expect(me.received).toEqual(['p2']);
    expect(me.acknowledged).toEqual(['b', 'c']);
  });

  test('is still resyncing if it was', () => {
    const before = end('me', undefined, 'lost');
    const me = end('unused', undefined, structuredClone(before.channel.kept));
    me.channel.up();
    me.channel.receive(fromPeer(1, 0, 'peer', 'who-i-was'));
    expect(me.received).toEqual([]);
    expect(me.sent).toMatchObject([{ run: 'me', seq: 0 }]);
  });
});

describe('persistence', () => {
  /** An end in conversation, with nothing to be written. */
  function settled(): End {
    const me = end();
    me.channel.up();
    me.channel.receive(fromPeer(1));
    vi.advanceTimersByTime(TIMES.ackDelayMs);
    me.flush();
    me.writes.length = 0;
    me.sent.length = 0;
    return me;
  }

  test('stores a message before its frame is sent', () => {
    const me = settled();
    me.say('a');
    expect(me.writes).toMatchObject([{ framesBefore: 0, kept: { outbox: { entries: [{ key: 'a' }] } } }]);
    expect(seqs(me.sent)).toEqual([1]);
  });

  test('stores a received message before its acknowledgement is sent', () => {
    const me = settled();
    me.channel.receive(fromPeer(2));
    vi.advanceTimersByTime(TIMES.ackDelayMs);
    expect(me.sent).toMatchObject([{ seq: 0, ack: 2 }]);
    expect(me.writes).toMatchObject([{ framesBefore: 0, received: ['p1', 'p2'], kept: { inbox: { last: 2 } } }]);
  });

  test('stores a received message before a frame acknowledges it that an acknowledgement releases', () => {
    const me = settled();
    for (let count = 0; count <= LIMITS.windowFrames; count += 1) me.say(String(count));
    me.writes.length = 0;
    me.channel.receive(fromPeer(2, 1));
    expect(me.sent.at(-1)).toMatchObject({ seq: LIMITS.windowFrames + 1, ack: 2 });
    expect(me.writes).toMatchObject([{ received: ['p1', 'p2'], acknowledged: ['0'], kept: { inbox: { last: 2 } } }]);
  });

  test('stores a received message before a new run acknowledges it', () => {
    const me = settled();
    me.say('a');
    me.channel.receive(fromPeer(0, 1));
    me.say('b');
    me.writes.length = 0;
    me.channel.receive(fromPeer(1, 0, 'peer-2', null));
    expect(me.sent.at(-1)).toMatchObject({ run: 'me-2', seq: 1, ack: 1, peerRun: 'peer-2' });
    expect(me.writes.at(-1)).toMatchObject({ received: ['p1', 'p1'], kept: { run: 'me-2', inbox: { run: 'peer-2' } } });
  });

  test('stores the outbox when an acknowledgement arrives', () => {
    const me = settled();
    me.say('a');
    me.writes.length = 0;
    me.channel.receive(fromPeer(0, 1));
    me.flush();
    expect(me.writes).toMatchObject([{ kept: { outbox: { acknowledged: 1, entries: [] } } }]);
  });

  test('stores nothing for typing, repeats, gaps, resends, frames of a former run', () => {
    const me = settled();
    me.say('a');
    me.writes.length = 0;
    me.channel.receive({ ...fromPeer(0), body: { kind: 'typing', on: true } });
    me.channel.receive(fromPeer(1));
    me.channel.receive(fromPeer(7));
    me.channel.receive(fromPeer(2, 0, 'peer-0', 'who-i-was'));
    me.channel.postUnnumbered({ kind: 'typing', on: true });
    vi.advanceTimersByTime(CHANNEL.resendMs);
    me.channel.down();
    me.channel.up();
    me.flush();
    expect(seqs(me.sent).filter((seq) => seq === 1)).toHaveLength(3);
    expect(me.writes).toEqual([]);
  });
});

/**
 * Two ends and the path between them, which loses, repeats and cuts as it is told. After a `crash` the next page of an
 * end has what was written before the frame that went last.
 */
type Fate = 'pass' | 'lose' | 'twice' | 'cut' | 'reload' | 'crash' | 'forget';

describe('two clients and a faulty path', () => {
  /** Plays what is said over such a path, until nothing moves any more. */
  function play(script: readonly Fate[], words: readonly { by: 0 | 1; pauseMs: number }[]) {
    const fate = script[Symbol.iterator]();
    const inFlight: { to: 0 | 1; frame: Frame }[] = [];
    let births = 0;
    const names = ['left', 'right'] as const;
    const bear = (side: 0 | 1, memory: ChannelOrigin): End =>
      end(`${names[side]}-${(births += 1)}`, travel(side === 0 ? 1 : 0), memory);
    /** All the lives of each side, the present one last. */
    const lives: [End[], End[]] = [[], []];
    const present = (side: 0 | 1): End => lives[side].at(-1)!;
    const renew = (side: 0 | 1, memory: ChannelOrigin): void => {
      present(side).channel.down();
      lives[side].push(bear(side, memory));
    };
    function travel(to: 0 | 1): (frame: Frame) => void {
      return (frame) => {
        const what = fate.next().value ?? 'pass';
        const from = to === 0 ? 1 : 0;
        if (what === 'pass' || what === 'twice') inFlight.push({ to, frame: structuredClone(frame) });
        if (what === 'twice') inFlight.push({ to, frame: structuredClone(frame) });
        if (what === 'pass' || what === 'twice' || what === 'lose') return;
        // All that is under way is gone; both find the path again, one of them maybe as another page.
        inFlight.length = 0;
        setTimeout(() => {
          if (what === 'reload') renew(from, structuredClone(present(from).channel.kept));
          if (what === 'crash') {
            const { stored, received, acknowledged } = present(from);
            const { kept, ...lists } = stored();
            // What is not in the store is not in the transcript of the next page.
            received.length = lists.received.length;
            acknowledged.length = lists.acknowledged.length;
            renew(from, kept);
          }
          if (what === 'forget') renew(from, 'lost');
          for (const side of [0, 1] as const) {
            present(side).channel.down();
            present(side).channel.up();
          }
        }, 10);
      };
    }
    const deliver = (): void => {
      for (let next = inFlight.shift(); next; next = inFlight.shift()) present(next.to).channel.receive(next.frame);
    };
    for (const side of [0, 1] as const) {
      lives[side].push(bear(side, 'new'));
      present(side).channel.up();
    }
    const said: [string[], string[]] = [[], []];
    words.forEach(({ by, pauseMs }, index) => {
      const text = `${by}:${index}`;
      said[by].push(text);
      present(by).say(text);
      present(by).flush();
      vi.advanceTimersByTime(pauseMs);
      if (pauseMs > 0) deliver();
    });
    for (let round = 0; round < 400; round += 1) {
      deliver();
      vi.advanceTimersByTime(1_000);
    }
    for (const side of [0, 1] as const) present(side).channel.close();
    expect(vi.getTimerCount()).toBe(0);
    return { said, lives };
  }

  const words = fc.array(
    fc.record({ by: fc.constantFrom<0 | 1>(0, 1), pauseMs: fc.constantFrom(0, 0, 50, 250, 3_000) }),
    { maxLength: 40 },
  );
  const fatesOf = (...worst: Fate[]): fc.Arbitrary<Fate[]> =>
    fc.array(fc.constantFrom<Fate>('pass', 'pass', 'pass', 'lose', 'lose', 'twice', ...worst), { maxLength: 60 });

  test('I8 deliver everything exactly once and in order, whatever is lost, repeated, cut, reloaded or crashes', () => {
    fc.assert(
      fc.property(fatesOf('cut', 'reload', 'crash'), words, (script, spoken) => {
        const { said, lives } = play(script, spoken);
        for (const side of [0, 1] as const) {
          const other = side === 0 ? 1 : 0;
          expect(lives[side].flatMap(({ received }) => received)).toEqual(said[other]);
          expect(lives[side].flatMap(({ acknowledged }) => acknowledged)).toEqual(said[side]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('I8 deliver the rest once and in order to a client that lost its memory, without a gap', () => {
    fc.assert(
      fc.property(fatesOf('cut', 'forget'), words, (script, spoken) => {
        const { said, lives } = play(script, spoken);
        for (const side of [0, 1] as const) {
          const other = side === 0 ? 1 : 0;
          // What a life said and could not deliver died with it; nothing else may be missing.
          const died = new Set(
            lives[other].slice(0, -1).flatMap(({ channel }) => channel.unacknowledged.map(({ key }) => key)),
          );
          const known = new Set<string>();
          for (const { received } of lives[side]) {
            expect(received).toEqual(said[other].filter((text) => received.includes(text)));
            expect(new Set(received).size).toBe(received.length);
            for (const text of received) known.add(text);
          }
          expect(said[other].filter((text) => !known.has(text) && !died.has(text))).toEqual([]);
          const told = lives[side].flatMap(({ acknowledged }) => acknowledged);
          expect(told.filter((text) => !lives[other].some(({ received }) => received.includes(text)))).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('S27 unnumbered frame', () => {
  const unnumbered = (kind: string): Frame => ({ ...fromPeer(0), body: { kind, text: 'psst', on: true } });

  test.each(['text', 'sticker', 'Typing', 'constructor'])(
    'of the kind "%s", which has to be numbered, is dropped',
    (kind) => {
      const me = end();
      me.channel.up();
      me.channel.receive(unnumbered(kind));
      expect(me.received).toEqual([]);
    },
  );

  test('of a permitted kind is accepted', () => {
    const me = end();
    me.channel.up();
    me.channel.receive(unnumbered('typing'));
    expect(me.received).toEqual(['(typing)']);
  });
});
