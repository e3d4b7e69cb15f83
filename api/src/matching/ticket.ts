import type { FindPayload, RequestId } from '@passerby/sdk/protocol';

/** One wait in the queue: the criteria of a visitor, in the normalised form in which they are compared. */
export interface Ticket {
  readonly requestId: RequestId;
  readonly interests: readonly string[];
  readonly languages: readonly string[];
  /** Page or subject; `null` if none is named. */
  readonly topic: string | null;
  /** Section of the site with the topic: its first path segment, if it has more than one. */
  readonly section: string | null;
  readonly is: string | null;
  readonly seeks: readonly string[];
  /**
   * Age band that the session is bound to, by consent or by the site's claims. Visitors of different bands never share
   * a queue.
   */
  readonly ageBand: string | null;
}

/** Creates a ticket from a payload: words in lower case, accents composed (NFC), without duplicates. */
export function ticketFrom(payload: FindPayload, ageBand: string | null = null): Ticket {
  const topic = payload.topic === undefined ? null : clean(payload.topic);
  return {
    requestId: payload.requestId,
    interests: words(payload.interests),
    languages: words(payload.languages),
    topic,
    section: topic === null ? null : sectionOf(topic),
    is: payload.is === undefined ? null : word(payload.is),
    seeks: words(payload.seeks),
    ageBand,
  };
}

/**
 * Returns the section of a topic: `/news` for `/news/2026/a-night-train`, `jazz` for `jazz/bassists`,
 * `https://a.example/b` for `https://a.example/b/c`; `null` for `/about`.
 */
export function sectionOf(topic: string): string | null {
  const path = /^([a-z]+:\/\/[^/]*(?=\/))?(\/?[^/]+)\/[^/]/i.exec(topic);
  return path === null ? null : (path[1] ?? '') + path[2]!;
}

/**
 * Tags by which a waiting visitor is found. Every tag starts with the age band, so that bands never share a queue; `q`
 * is the whole queue.
 */
export function tagsOf(ticket: Ticket): readonly string[] {
  return tagged(ticket, [
    'q',
    ...(ticket.topic === null ? [] : [`t:${ticket.topic}`]),
    ...(ticket.section === null ? [] : [`c:${ticket.section}`]),
    ...(ticket.is === null ? [] : [`s:${ticket.is}`]),
    ...ticket.interests.map((interest) => `i:${interest}`),
    ...ticket.languages.map((language) => `l:${language}`),
  ]);
}

/** Returns the tags by which a visitor looks for others, nearest first; the whole queue comes last. */
export function lookupsOf(ticket: Ticket): readonly string[] {
  return tagged(ticket, [
    ...(ticket.topic === null ? [] : [`t:${ticket.topic}`]),
    ...(ticket.section === null ? [] : [`c:${ticket.section}`]),
    ...ticket.seeks.map((group) => `s:${group}`),
    ...ticket.interests.map((interest) => `i:${interest}`),
    ...ticket.languages.map((language) => `l:${language}`),
    'q',
  ]);
}

function tagged(ticket: Ticket, tags: readonly string[]): readonly string[] {
  return tags.map((tag) => `${ticket.ageBand ?? ''}|${tag}`);
}

function words(list: readonly string[] = []): readonly string[] {
  return [...new Set(list.map(word))].filter((text) => text !== '');
}

function word(text: string): string {
  return clean(text).toLowerCase();
}

/**
 * Removes control characters, one of which separates the parts of an index entry, and lone surrogates, which cannot be
 * encoded for Lua.
 */
function clean(text: string): string {
  return text.normalize('NFC').replaceAll(/[\p{Cc}\p{Cs}]/gu, '');
}
