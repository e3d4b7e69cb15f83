import { bySeniority, type Waiter } from '../../matching/choose.ts';
import type { MatchRules } from '../../matching/rules.ts';
import { lookupsOf, tagsOf, type Ticket } from '../../matching/ticket.ts';
import type { SessionId } from '../../domain/ids.ts';
import type { Around } from '../survey.ts';

export interface WaitingVisitor extends Waiter {
  readonly sessionId: SessionId;
}

/** Waiting visitors of a site by tag, each list oldest first. */
export class WaitingQueue {
  readonly #byTag = new Map<string, WaitingVisitor[]>();

  add(waiter: WaitingVisitor): void {
    for (const tag of tagsOf(waiter.ticket)) {
      const list = this.#byTag.get(tag);
      if (list === undefined) this.#byTag.set(tag, [waiter]);
      else list.splice(positionOf(list, waiter), 0, waiter);
    }
  }

  remove(waiter: WaitingVisitor): void {
    for (const tag of tagsOf(waiter.ticket)) {
      const list = this.#byTag.get(tag) ?? [];
      const position = positionOf(list, waiter);
      if (list[position]?.sessionId === waiter.sessionId) list.splice(position, 1);
      if (list.length === 0) this.#byTag.delete(tag);
    }
  }

  /**
   * Returns the candidates for this visitor: the oldest of each index they look in, nearest index first.
   * The whole queue comes last and is always given room, since the longest waiters want the least.
   */
  candidates(seed: WaitingVisitor, { scanMax, perTagMax }: MatchRules): readonly WaitingVisitor[] {
    const found = new Set<WaitingVisitor>();
    const lookups = lookupsOf(seed.ticket);
    lookups.forEach((tag, index) => {
      const isWholeQueue = index === lookups.length - 1;
      const room = isWholeQueue ? scanMax - found.size : Math.min(perTagMax, scanMax - perTagMax - found.size);
      // One more than there is room for, since the seed may be among them.
      for (const waiter of this.#byTag.get(tag)?.slice(0, Math.max(0, room + 1)) ?? []) {
        if (waiter.sessionId !== seed.sessionId && found.size < scanMax) found.add(waiter);
      }
    });
    return [...found];
  }

  /** The longest waiters of an age band. */
  oldest(ageBand: string | null, max: number): readonly WaitingVisitor[] {
    return this.#byTag.get(`${ageBand ?? ''}|q`)?.slice(0, max) ?? [];
  }

  /** Returns the number of visitors with a tag. */
  count(tag: string): number {
    return this.#byTag.get(tag)?.length ?? 0;
  }

  /** Number of visitors in the queue, of all age bands together. */
  get size(): number {
    let size = 0;
    for (const [tag, list] of this.#byTag) if (/^[^|]*\|q$/.test(tag)) size += list.length;
    return size;
  }
}

/** Returns the index of a waiter in a list by seniority, or the one at which they would be inserted. */
function positionOf(list: readonly WaitingVisitor[], waiter: Waiter): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bySeniority(list[middle]!, waiter) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Returns the counts of those who wait around a ticket. */
export function countAround(queue: WaitingQueue, ticket: Ticket): Around {
  const tag = (name: string) => queue.count(`${ticket.ageBand ?? ''}|${name}`);
  return {
    waiting: tag('q'),
    languagesSpoken: ticket.languages.length,
    sharingLanguage: ticket.languages.reduce((sum, language) => sum + tag(`l:${language}`), 0),
  };
}
