import type { EventLog } from './chat-driver.ts';

/** Kinds of violation in the records of visitors. */
export type BookRule =
  /** Neither received by the peer nor reported undelivered; or reported delivered and not received. */
  | 'lost'
  | 'repeated'
  /** Repeated, or out of order. */
  | 'order'
  /** Sent by somebody who is not the peer. */
  | 'stranger'
  /** Sent in another conversation than the one it was received in. */
  | 'elsewhere'
  /** Conversation within another, begun twice, or of more than two. */
  | 'start'
  /** Second end, or the end of a conversation that never began. */
  | 'end'
  /** Over for one side and not for the other. */
  | 'endless'
  /** Event of a conversation that is over. */
  | 'after the end';

export interface BookViolation {
  readonly rule: BookRule;
  readonly talker: string;
  readonly what: string;
}

/** One side of a conversation. */
interface Side {
  readonly talker: string;
  readonly conversationId: string;
  readonly said: string[];
  readonly heard: string[];
  readonly delivered: string[];
  undelivered: readonly string[];
  isOver: boolean;
}

/** Compares sent messages with received ones, once all is at rest: messages in flight then count as lost. */
export function checkBooks(books: readonly EventLog[]): BookViolation[] {
  const violations: BookViolation[] = [];
  const sides = new Map<string, Side[]>();
  for (const repository of books) readBook(repository, sides, violations);
  for (const of of sides.values()) checkConversation(of, violations);
  return violations;
}

function readBook({ name: talker, entries }: EventLog, sides: Map<string, Side[]>, violations: BookViolation[]): void {
  const broken = (rule: BookRule, what: string) => violations.push({ rule, talker, what });
  const own = new Map<string, Side>();
  let present: Side | null = null;
  for (const entry of entries) {
    switch (entry.kind) {
      case 'started': {
        const { conversationId } = entry;
        if (present !== null) broken('start', `${conversationId} starts within ${present.conversationId}`);
        if (own.has(conversationId)) broken('start', `${conversationId} starts again`);
        present = { talker, conversationId, said: [], heard: [], delivered: [], undelivered: [], isOver: false };
        own.set(conversationId, present);
        sides.set(conversationId, [...(sides.get(conversationId) ?? []), present]);
        break;
      }
      case 'said':
        own.get(entry.conversationId)?.said.push(entry.text);
        break;
      case 'heard':
        if (present === null || entry.conversationId !== present.conversationId) {
          broken('after the end', `heard "${entry.text}" in ${entry.conversationId ?? 'no conversation'}`);
        } else {
          present.heard.push(entry.text);
        }
        break;
      case 'delivered':
        if (present?.said.includes(entry.text) !== true) broken('after the end', `"${entry.text}" is delivered`);
        present?.delivered.push(entry.text);
        break;
      case 'presence':
        if (present === null) broken('after the end', `the peer is ${entry.presence}`);
        break;
      case 'ended': {
        const side = own.get(entry.conversationId);
        if (side === undefined) broken('end', `${entry.conversationId} ends and never started`);
        else if (side.isOver) broken('end', `${entry.conversationId} ends again (${entry.reason})`);
        else {
          side.isOver = true;
          side.undelivered = entry.undelivered;
        }
        if (present?.conversationId === entry.conversationId) present = null;
      }
    }
  }
}

function checkConversation(of: readonly Side[], violations: BookViolation[]): void {
  const [one, two, third] = of as [Side, Side?, Side?];
  if (third !== undefined) {
    const what = `${third.conversationId} is also of ${one.talker} and ${two!.talker}`;
    violations.push({ rule: 'start', talker: third.talker, what });
  }
  checkWords(one, two, violations);
  if (two === undefined) {
    // A match the other side never learned of falls through; it may not last.
    if (!one.isOver)
      violations.push({ rule: 'endless', talker: one.talker, what: `is alone in ${one.conversationId}` });
    return;
  }
  checkWords(two, one, violations);
  if (one.isOver === two.isOver) return;
  const [left, over] = one.isOver ? [two, one] : [one, two];
  const what = `${left.conversationId} goes on, for ${over.talker} it is over`;
  violations.push({ rule: 'endless', talker: left.talker, what });
}

/** Outcome of the messages of one side. */
function checkWords(speaker: Side, hearer: Side | undefined, violations: BookViolation[]): void {
  const { conversationId } = speaker;
  const heard = hearer?.heard ?? [];
  const isHeard = new Set(heard);
  const isDelivered = new Set(speaker.delivered);
  for (const text of speaker.said) {
    if (isHeard.has(text)) continue;
    const what = `"${text}" in ${conversationId} was never heard`;
    if (isDelivered.has(text))
      violations.push({ rule: 'lost', talker: speaker.talker, what: `${what}, yet delivered` });
    else if (!speaker.undelivered.includes(text)) violations.push({ rule: 'lost', talker: speaker.talker, what });
  }
  if (hearer === undefined) return;
  const broken = (rule: BookRule, what: string) =>
    violations.push({ rule, talker: hearer.talker, what: `${what} in ${conversationId}` });
  const number = new Map(speaker.said.map((text, index) => [text, index]));
  const before = new Set<string>();
  let next = 0;
  for (const text of heard) {
    const at = number.get(text);
    if (at === undefined) {
      broken(text.startsWith(`${speaker.talker}-`) ? 'elsewhere' : 'stranger', `heard "${text}"`);
    } else if (before.has(text)) {
      broken('repeated', `heard "${text}" again`);
    } else {
      if (at !== next) broken('order', `heard "${text}" where "${speaker.said[next]}" was due`);
      next = at + 1;
    }
    before.add(text);
  }
}
