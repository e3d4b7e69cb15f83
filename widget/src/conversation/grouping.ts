import type { Message } from '@passerby/sdk';

/** Messages of one side, said in one go. */
export interface Group {
  readonly from: Message['from'];
  /** Stable while the group grows: a key for lists. */
  readonly id: string;
  readonly messages: readonly Message[];
}

/** A silence longer than this starts a new group. */
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

/** Messages whose status is shown: the newest of one's own, and whatever did not arrive. */
export function statusOf(
  message: Message,
  messages: readonly Message[],
): 'sending' | 'delivered' | 'undelivered' | null {
  if (message.from === 'peer') return null;
  const isNewest = messages.findLast(({ from }) => from === 'me') === message;
  return isNewest || message.status === 'undelivered' ? message.status : null;
}
