import type { Message } from '@passerby/sdk';

/** Consecutive messages of one side without a long pause. */
export interface Group {
  readonly from: Message['from'];
  /** Key for lists, stable while the group grows. */
  readonly id: string;
  readonly messages: readonly Message[];
}

/** Maximum pause within a group. Milliseconds. */
const GO_MS = 3 * 60_000;

export function groupMessages(messages: readonly Message[]): readonly Group[] {
  const groups: (Group & { messages: Message[] })[] = [];
  for (const message of messages) {
    const group = groups.at(-1);
    const before = group?.messages.at(-1);
    if (group && before && group.from === message.from && message.at - before.at <= GO_MS) group.messages.push(message);
    else groups.push({ from: message.from, id: `${message.from} ${message.id}`, messages: [message] });
  }
  return groups;
}

/** Status to show for a message: of the visitor's newest message, and of each undelivered one; `null` for the others. */
export function statusOf(
  message: Message,
  messages: readonly Message[],
): 'sending' | 'delivered' | 'undelivered' | null {
  if (message.from === 'peer') return null;
  const isNewest = messages.findLast(({ from }) => from === 'me') === message;
  return isNewest || message.status === 'undelivered' ? message.status : null;
}
