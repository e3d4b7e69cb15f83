import type { FindPayload, RequestId } from '@passerby/sdk/protocol';

/** One wait in a queue: what a visitor looks for, in the form in which it is compared. */
export interface Ticket {
  readonly requestId: RequestId;
  readonly interests: readonly string[];
  readonly languages: readonly string[];
  /** The page or subject; `null` for nowhere in particular. */
  readonly topic: string | null;
  /** The part of the site the topic is in: its first path segment, if it has more than one. */
  readonly section: string | null;
  readonly is: string | null;
  readonly seeks: readonly string[];
  /** Visitors of different bands are never in the same line. Not what a visitor says: from the site's claims. */
  readonly ageBand: string | null;
}

/** A ticket from what a visitor sent: words compared without case, accents composed, each once. */
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

/** `/news/2026/a-night-train` is in `/news`, `jazz/bassists` in `jazz`, `https://a.example/b/c` in `https://a.example/b`; `/about` is in none. */
export function sectionOf(topic: string): string | null {
  const path = /^([a-z]+:\/\/[^/]*(?=\/))?(\/?[^/]+)\/[^/]/i.exec(topic);
  return path === null ? null : (path[1] ?? '') + path[2]!;
}

/**
 * Tags by which a waiting visitor is found. Every tag starts with the age band, so that bands never share a
 * line; `q` is the whole line.
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

/** Where a visitor looks for others, nearest first; the whole line comes last. */
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

/** Control characters mean nothing in a word, and one of them parts the index's keys; half a surrogate pair is no text in Lua. */
function clean(text: string): string {
  return text.normalize('NFC').replaceAll(/[\p{Cc}\p{Cs}]/gu, '');
}
