import type { Criteria } from '@passerby/sdk/protocol';
import { saying, type VisitorHistory } from './history.ts';

/** Violation of a rule: which, in whose history, and how. */
export interface Violation {
  readonly rule: 'I1' | 'I2' | 'I4' | 'I5' | 'I7' | 'I10' | 'L1' | 'L3' | 'connected';
  readonly visitor: number;
  readonly what: string;
}

/** Conversation as one side saw it. */
interface Side {
  readonly visitor: number;
  readonly role: string;
  readonly heard: string[];
  isOver: boolean;
}

/** Replays the histories of all visitors, and returns the violations. */
export function checkHistory(histories: readonly VisitorHistory[], { areCutsAllowed = false } = {}): Violation[] {
  const violations: Violation[] = [];
  const sides = new Map<string, Side[]>();
  for (const history of histories) replay(history, sides, violations, areCutsAllowed);
  for (const [conversationId, of] of sides) checkConversation(conversationId, of, violations);
  const blocks = blocksOf(histories, sides);
  checkMeetings(histories, sides, blocks, violations);
  checkRest(histories, blocks, violations);
  return violations;
}

function replay(
  { visitor, seen, rest }: VisitorHistory,
  sides: Map<string, Side[]>,
  violations: Violation[],
  areCutsAllowed: boolean,
): void {
  const broken = (rule: Violation['rule'], what: string) => violations.push({ rule, visitor, what });
  const own = new Map<string, Side>();
  const open = new Map<number, string>();
  let present: string | null = null;
  let isCut = false;
  const sit = (conversationId: string, role: string) => {
    const side: Side = { visitor, role, heard: [], isOver: false };
    own.set(conversationId, side);
    sides.set(conversationId, [...(sides.get(conversationId) ?? []), side]);
    present = conversationId;
  };
  for (const event of seen) {
    switch (event.kind) {
      case 'asked':
        open.set(event.ask, event.request);
        break;
      case 'answered':
        if (!open.delete(event.ask)) broken('L3', `a second answer to ask ${event.ask}`);
        break;
      case 'started': {
        const { conversationId, role } = event;
        if (present !== null) broken('I1', `${conversationId} starts within ${present}`);
        if (own.has(conversationId)) broken('I10', `${conversationId} starts again`);
        sit(conversationId, role);
        break;
      }
      case 'ended': {
        const side = own.get(event.conversationId);
        if (side === undefined) broken('I10', `${event.conversationId} ends and never started`);
        else if (side.isOver) broken('I10', `${event.conversationId} ends again (${event.reason})`);
        if (side !== undefined) side.isOver = true;
        if (present === event.conversationId) present = null;
        break;
      }
      case 'heard':
        if (present !== event.conversationId) broken('I7', `heard "${event.said}" outside of ${event.conversationId}`);
        own.get(event.conversationId)?.heard.push(event.said);
        break;
      case 'disconnected':
        if (!areCutsAllowed) broken('connected', 'the connection went, though nobody cut it');
        isCut = true;
        break;
      case 'resumed':
        isCut = false;
        if (event.conversationId === present) break;
        if (present !== null) own.get(present)!.isOver = true;
        present = null;
        if (event.conversationId === null) break;
        if (own.has(event.conversationId)) broken('I10', `${event.conversationId} starts again`);
        sit(event.conversationId, event.role);
    }
  }
  if (isCut && areCutsAllowed) broken('connected', 'never came back to the session');
  for (const request of open.values()) broken('L3', `${request} was never answered`);
  if (rest === 'promised') broken('L3', 'was answered "matched" and nothing started');
}

function checkConversation(conversationId: string, of: readonly Side[], violations: Violation[]): void {
  const [one, two, third] = of;
  if (one === undefined) return;
  const broken = (rule: Violation['rule'], visitor: number, what: string) =>
    violations.push({ rule, visitor, what: `${conversationId}: ${what}` });
  if (third !== undefined) broken('I2', third.visitor, `is also of ${one.visitor} and ${two!.visitor}`);
  if (two === undefined) {
    // A match the other side never learned of falls through; it may not last.
    if (!one.isOver) broken('I2', one.visitor, 'nobody else is in it');
  } else {
    if (one.role === two.role) broken('I2', one.visitor, `both are ${one.role}`);
    if (one.isOver !== two.isOver) {
      const [left, over] = one.isOver ? [two, one] : [one, two];
      broken('I10', left.visitor, `has no end, for ${over.visitor} it is over`);
    }
  }
  for (const side of of) {
    const peers = of.filter((other) => other !== side).map(({ visitor }) => saying(visitor, conversationId));
    const foreign = side.heard.find((said) => !peers.includes(said));
    if (foreign !== undefined) broken('I7', side.visitor, `heard "${foreign}", which the peer did not say there`);
  }
}

/** Pairs one of whom blocked the other: certainly from the conversation after this one on, or at least requested. */
interface Block {
  readonly by: number;
  readonly other: number;
  readonly conversationId: string;
  readonly isSure: boolean;
}

function blocksOf(histories: readonly VisitorHistory[], sides: ReadonlyMap<string, readonly Side[]>): Block[] {
  const blocks: Block[] = [];
  for (const { visitor, seen } of histories) {
    const acknowledged = new Set(
      seen.flatMap((event) => (event.kind === 'answered' && event.answer === 'blocked' ? [event.ask] : [])),
    );
    for (const event of seen) {
      if (event.kind !== 'asked' || event.request !== 'conversation:block' || event.conversationId === undefined)
        continue;
      const { conversationId } = event;
      const other = sides.get(conversationId)?.find((side) => side.visitor !== visitor)?.visitor;
      if (other !== undefined) blocks.push({ by: visitor, other, conversationId, isSure: acknowledged.has(event.ask) });
    }
  }
  return blocks;
}

function checkMeetings(
  histories: readonly VisitorHistory[],
  sides: ReadonlyMap<string, readonly Side[]>,
  blocks: readonly Block[],
  violations: Violation[],
): void {
  const byVisitor = new Map(histories.map((history) => [history.visitor, history]));
  for (const [conversationId, [one, two]] of sides) {
    if (one === undefined || two === undefined) continue;
    if (!doFit(byVisitor.get(one.visitor)!.criteria, byVisitor.get(two.visitor)!.criteria)) {
      violations.push({
        rule: 'I4',
        visitor: one.visitor,
        what: `${conversationId}: ${two.visitor} is against a hard rule`,
      });
    }
  }
  for (const { by, other, conversationId, isSure } of blocks) {
    if (!isSure) continue;
    const starts = byVisitor
      .get(by)!
      .seen.flatMap((event) =>
        event.kind === 'started' || event.kind === 'resumed' ? (event.conversationId ?? []) : [],
      );
    for (const later of starts.slice(starts.indexOf(conversationId) + 1)) {
      if (!sides.get(later)!.some(({ visitor }) => visitor === other)) continue;
      violations.push({ rule: 'I5', visitor: by, what: `blocked ${other} in ${conversationId}, met them in ${later}` });
    }
  }
}

function checkRest(histories: readonly VisitorHistory[], blocks: readonly Block[], violations: Violation[]): void {
  const blocked = new Set(blocks.flatMap(({ by, other }) => [`${by} ${other}`, `${other} ${by}`]));
  const waiting = histories.filter(({ rest }) => rest === 'waiting');
  for (const [index, one] of waiting.entries()) {
    for (const two of waiting.slice(index + 1)) {
      if (blocked.has(`${one.visitor} ${two.visitor}`) || !doFit(one.criteria, two.criteria)) continue;
      violations.push({ rule: 'L1', visitor: one.visitor, what: `and ${two.visitor} both wait and fit` });
    }
  }
}

/** Checks the rules that waiting never relaxes, both ways. */
function doFit(a: Criteria, b: Criteria): boolean {
  const seeks = (seeker: Criteria, other: Criteria) =>
    seeker.seeks === undefined || (other.is !== undefined && seeker.seeks.includes(other.is));
  return seeks(a, b) && seeks(b, a);
}
