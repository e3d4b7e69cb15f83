import type { Criteria } from '@passerby/sdk/protocol';
import type { EventLog } from './event-log.ts';

/** Violated invariant, as docs/matching.md numbers them, with the log that shows it. `connected`: a connection that was lost for no reason. */
export interface Violation {
  readonly rule: 'I1' | 'I2' | 'I4' | 'I5' | 'I7' | 'I8' | 'I9' | 'I10' | 'L1' | 'L3' | 'connected';
  readonly visitor: string;
  readonly what: string;
}

/** Conversation as one of its visitors saw it. */
interface Side {
  readonly log: EventLog;
  readonly role: string | undefined;
  readonly said: string[];
  readonly heard: string[];
  readonly delivered: string[];
  undelivered: readonly string[];
  isOver: boolean;
}

type Report = (rule: Violation['rule'], visitor: string, what: string) => void;

/**
 * Compares what each visitor did and was told with what the others were, once all is at rest: a message still in flight
 * then counts as lost.
 */
export function checkInvariants(logs: readonly EventLog[], { areCutsAllowed = false } = {}): Violation[] {
  const violations: Violation[] = [];
  const report: Report = (rule, visitor, what) => violations.push({ rule, visitor, what });
  const sides = new Map<string, Side[]>();
  for (const log of logs) replay(log, sides, areCutsAllowed, report);
  for (const [conversationId, of] of sides) checkConversation(conversationId, of, report);
  const blocks = blocksOf(logs, sides);
  checkMeetings(logs, sides, blocks, report);
  checkRest(logs, blocks, report);
  return violations;
}

/** Checks what one log shows by itself, and adds its sides. */
function replay(log: EventLog, sides: Map<string, Side[]>, areCutsAllowed: boolean, report: Report): void {
  const broken = (rule: Violation['rule'], what: string) => report(rule, log.visitor, what);
  const own = new Map<string, Side>();
  const open = new Map<number, string>();
  let present: string | null = null;
  let isCut = false;
  const sit = (conversationId: string, role: string | undefined) => {
    if (own.has(conversationId)) broken('I10', `${conversationId} starts again`);
    const side: Side = { log, role, said: [], heard: [], delivered: [], undelivered: [], isOver: false };
    own.set(conversationId, side);
    sides.set(conversationId, [...(sides.get(conversationId) ?? []), side]);
    present = conversationId;
  };
  const presentSide = () => (present === null ? undefined : own.get(present));
  for (const event of log.events) {
    switch (event.kind) {
      case 'asked':
        open.set(event.ask, event.request);
        break;
      case 'answered':
        if (!open.delete(event.ask)) broken('L3', `a second answer to ask ${event.ask}`);
        break;
      case 'started':
        if (present !== null) broken('I1', `${event.conversationId} starts within ${present}`);
        sit(event.conversationId, event.role);
        break;
      case 'said':
        own.get(event.conversationId)?.said.push(event.text);
        break;
      case 'heard':
        if (event.conversationId === present) presentSide()?.heard.push(event.text);
        if (event.conversationId === null || event.conversationId !== present)
          broken('I7', `heard "${event.text}" in ${event.conversationId ?? 'no conversation'}, not in ${present}`);
        break;
      case 'delivered':
        if (presentSide()?.said.includes(event.text) !== true)
          broken('I10', `"${event.text}" is delivered after the end`);
        presentSide()?.delivered.push(event.text);
        break;
      case 'presence':
        if (present === null) broken('I10', `the peer is ${event.presence} after the end`);
        break;
      case 'ended': {
        const side = own.get(event.conversationId);
        if (side === undefined) broken('I10', `${event.conversationId} ends and never started`);
        else if (side.isOver) broken('I10', `${event.conversationId} ends again (${event.reason})`);
        else {
          side.isOver = true;
          side.undelivered = event.undelivered ?? [];
        }
        if (present === event.conversationId) present = null;
        break;
      }
      case 'disconnected':
        if (!areCutsAllowed) broken('connected', 'the connection was lost, though nobody cut it');
        isCut = true;
        break;
      case 'resumed': {
        isCut = false;
        if (event.conversationId === present) break;
        const side = presentSide();
        if (side !== undefined) side.isOver = true;
        present = null;
        if (event.conversationId !== null) sit(event.conversationId, event.role);
      }
    }
  }
  if (isCut && areCutsAllowed) broken('connected', 'never came back to the session');
  for (const request of open.values()) broken('L3', `${request} was never answered`);
  if (log.rest === 'promised') broken('L3', 'was answered "matched" and nothing started');
}

/** Checks what the sides of a conversation show together. */
function checkConversation(conversationId: string, of: readonly Side[], report: Report): void {
  const [one, two, third] = of as [Side, Side?, Side?];
  const broken = (rule: Violation['rule'], { log }: Side, what: string) =>
    report(rule, log.visitor, `${conversationId}: ${what}`);
  if (third !== undefined) broken('I2', third, `is also of ${one.log.visitor} and ${two!.log.visitor}`);
  if (two === undefined) {
    // A match the other side never learned of falls through; it may not last.
    if (!one.isOver) broken('I2', one, 'nobody else is in it');
  } else {
    if (one.role !== undefined && one.role === two.role) broken('I2', one, `both are ${one.role}`);
    if (one.isOver !== two.isOver) {
      const [left, over] = one.isOver ? [two, one] : [one, two];
      broken('I10', left, `has no end, for ${over.log.visitor} it is over`);
    }
  }
  for (const side of of) {
    const saidByOthers = new Set(of.flatMap((other) => (other === side ? [] : other.said)));
    const foreign = side.heard.find((text) => !saidByOthers.has(text));
    if (foreign !== undefined) broken('I7', side, `heard "${foreign}", which the peer did not say there`);
  }
  if (one.log.delivery === 'reliable') checkDelivery(one, two, broken);
  if (two?.log.delivery === 'reliable') checkDelivery(two, one, broken);
}

/** Checks that each message of a side arrived once and in order, or was reported. */
function checkDelivery(
  speaker: Side,
  hearer: Side | undefined,
  broken: (rule: Violation['rule'], side: Side, what: string) => void,
): void {
  const heard = hearer?.heard ?? [];
  const isHeard = new Set(heard);
  const isDelivered = new Set(speaker.delivered);
  for (const text of speaker.said) {
    if (isHeard.has(text)) continue;
    if (isDelivered.has(text)) broken('I9', speaker, `"${text}" was never heard, yet delivered`);
    else if (!speaker.undelivered.includes(text)) broken('I9', speaker, `"${text}" was never heard, and not reported`);
  }
  const number = new Map(speaker.said.map((text, index) => [text, index]));
  const before = new Set<string>();
  let next = 0;
  for (const text of heard) {
    const at = number.get(text);
    // Said by somebody else, or elsewhere: that is I7.
    if (at === undefined) continue;
    if (before.has(text)) broken('I8', hearer!, `heard "${text}" again`);
    else {
      if (at !== next) broken('I8', hearer!, `heard "${text}" where "${speaker.said[next]}" was due`);
      next = at + 1;
    }
    before.add(text);
  }
}

/** Pair one of whom blocked the other: certainly from the conversation after this one on, or at least requested. */
interface Block {
  readonly by: string;
  readonly other: string;
  readonly conversationId: string;
  readonly isSure: boolean;
}

function blocksOf(logs: readonly EventLog[], sides: ReadonlyMap<string, readonly Side[]>): Block[] {
  const blocks: Block[] = [];
  for (const { visitor, events } of logs) {
    const acknowledged = new Set(
      events.flatMap((event) => (event.kind === 'answered' && event.answer === 'blocked' ? [event.ask] : [])),
    );
    for (const event of events) {
      if (event.kind !== 'asked' || event.request !== 'conversation:block' || event.conversationId === undefined)
        continue;
      const { conversationId } = event;
      const other = sides.get(conversationId)?.find(({ log }) => log.visitor !== visitor)?.log.visitor;
      if (other !== undefined) blocks.push({ by: visitor, other, conversationId, isSure: acknowledged.has(event.ask) });
    }
  }
  return blocks;
}

function checkMeetings(
  logs: readonly EventLog[],
  sides: ReadonlyMap<string, readonly Side[]>,
  blocks: readonly Block[],
  report: Report,
): void {
  for (const [conversationId, [one, two]] of sides) {
    if (one === undefined || two === undefined || doFit(one.log.criteria, two.log.criteria)) continue;
    report('I4', one.log.visitor, `${conversationId}: ${two.log.visitor} is against a hard rule`);
  }
  const byVisitor = new Map(logs.map((log) => [log.visitor, log]));
  for (const { by, other, conversationId, isSure } of blocks) {
    if (!isSure) continue;
    const starts = byVisitor
      .get(by)!
      .events.flatMap((event) =>
        event.kind === 'started' || event.kind === 'resumed' ? (event.conversationId ?? []) : [],
      );
    for (const later of starts.slice(starts.indexOf(conversationId) + 1)) {
      if (!sides.get(later)!.some(({ log }) => log.visitor === other)) continue;
      report('I5', by, `blocked ${other} in ${conversationId}, met them in ${later}`);
    }
  }
}

function checkRest(logs: readonly EventLog[], blocks: readonly Block[], report: Report): void {
  const blocked = new Set(blocks.flatMap(({ by, other }) => [`${by} ${other}`, `${other} ${by}`]));
  const waiting = logs.filter(({ rest }) => rest === 'waiting');
  for (const [index, one] of waiting.entries()) {
    for (const two of waiting.slice(index + 1)) {
      if (blocked.has(`${one.visitor} ${two.visitor}`) || !doFit(one.criteria, two.criteria)) continue;
      report('L1', one.visitor, `and ${two.visitor} both wait and fit`);
    }
  }
}

/** Applies the rules that waiting never relaxes, both ways. */
function doFit(a: Criteria, b: Criteria): boolean {
  const seeks = (seeker: Criteria, other: Criteria) =>
    seeker.seeks === undefined || (other.is !== undefined && seeker.seeks.includes(other.is));
  return seeks(a, b) && seeks(b, a);
}
