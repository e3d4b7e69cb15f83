import type { ConversationId, Frame, PushPayload } from '@passerby/sdk/protocol';
import { expect } from 'vitest';
import { requestId, until, Visitor } from '../harness.ts';
import { Nodes, type NodesOptions } from './nodes.ts';

/** Timeout within a node's lease, and longer than any wait: a round frees nobody who is stuck. Milliseconds. */
const ROUND_MS = 10_000;

/**
 * Repeatedly, all visitors in conversations skip in one turn of the event loop. Expects each time that everybody is
 * answered, that each conversation ended once for each side, and that nobody is stuck: all are in a conversation in
 * which both receive each other's messages, except one who is left over and waits. At the end that one is matched with
 * a newcomer.
 */
export async function skipAtOnce(
  options: Omit<NodesOptions, 'roundMs'>,
  visitors: number,
  times: number,
): Promise<void> {
  await using nodes = await Nodes.start({ ...options, roundMs: ROUND_MS });
  const arriving = Array.from({ length: visitors }, (_, nth) => Visitor.arrive(nodes.of(nth)));
  const skippers = (await Promise.all(arriving)).map((visitor) => new Skipper(visitor));
  await Promise.all(skippers.map(({ visitor }) => visitor.find()));
  await untilPaired(skippers);
  for (let time = 1; time <= times; time++) {
    const skipping = skippers.filter(({ present }) => present !== null);
    const replies = await Promise.all(skipping.map((skipper) => skipper.skip()));
    for (const reply of replies) {
      expect(reply).toEqual({ ok: true, data: { status: 'left', next: expect.stringMatching(/^(waiting|matched)$/) } });
    }
    await untilPaired(skippers);
    for (const skipper of skippers) skipper.say(`${skipper.present} ${time}`);
    const expected = skippers.map(({ present }) => (present === null ? null : `${present} ${time}`));
    await until(() => {
      readAll(skippers);
      return skippers.every(({ heard }, nth) => heard === expected[nth]);
    }, 'everybody hears their peer');
  }
  if (visitors % 2 === 1) {
    const newcomer = new Skipper(await Visitor.arrive(nodes.of(visitors)));
    expect(await newcomer.visitor.find()).toEqual({ ok: true, data: { status: 'matched' } });
    skippers.push(newcomer);
    await untilPaired(skippers);
  }
  for (const { visitor } of skippers) visitor.socket.disconnect();
}

/** Waits until all but one at most are in a conversation with another one of them. */
async function untilPaired(skippers: readonly Skipper[]): Promise<void> {
  const paired = skippers.length - (skippers.length % 2);
  await until(() => {
    readAll(skippers);
    const present = skippers.flatMap((skipper) => (skipper.present === null ? [] : [skipper.present]));
    return present.length === paired && new Set(present).size === paired / 2;
  }, 'nobody is stuck');
}

function readAll(skippers: readonly Skipper[]): void {
  for (const skipper of skippers) skipper.read();
}

/** Visitor who skips on demand, and records every event. */
class Skipper {
  readonly visitor: Visitor;
  present: ConversationId | null = null;
  /** Last message of the peer in the present conversation. */
  heard: unknown = null;
  readonly #known = new Set<ConversationId>();
  #read = 0;

  constructor(visitor: Visitor) {
    this.visitor = visitor;
  }

  skip() {
    return this.visitor.ask('conversation:leave', {
      conversationId: this.present!,
      next: { requestId: requestId() },
    });
  }

  say(text: string): void {
    if (this.present !== null) this.visitor.say(this.present, 1, text);
  }

  /** Reads new events. Throws if a start, an end or a frame is not of the conversation it must be of. */
  read(): void {
    for (; this.#read < this.visitor.told.length; this.#read++) {
      const { name, payload } = this.visitor.told[this.#read]!;
      if (name === 'conversation:started') this.#start(payload as PushPayload<'conversation:started'>);
      if (name === 'conversation:ended') this.#end(payload as PushPayload<'conversation:ended'>);
      if (name === 'conversation:frame') this.#hear(payload as Frame);
    }
  }

  #start({ conversationId }: PushPayload<'conversation:started'>): void {
    expect(this.present, 'nothing starts before what was has ended').toBeNull();
    expect(this.#known.has(conversationId), 'nothing starts twice').toBe(false);
    this.#known.add(conversationId);
    this.present = conversationId;
  }

  #end({ conversationId }: PushPayload<'conversation:ended'>): void {
    expect(conversationId, 'what ends is the present conversation, once').toBe(this.present);
    this.present = null;
    this.heard = null;
  }

  #hear({ conversationId, body }: Frame): void {
    expect(conversationId, 'what is heard is of the present conversation').toBe(this.present);
    this.heard = body['text'];
  }
}
