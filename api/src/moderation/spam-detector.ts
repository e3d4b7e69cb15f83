import { createHmac, randomBytes } from 'node:crypto';
import type { ConversationId, Frame } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import { timesAt } from '../limits/rate-limits.ts';
import type { AddressHash, AddressHashes, SiteId } from '../domain/ids.ts';
import { TextsByNetwork } from './texts-by-network.ts';

const MINUTE_MS = 60_000;
/** Minimum length of a text that counts: shorter ones are greetings, which are all alike. Characters, after normalising. */
const MIN_CHARS = 24;
/** Time for which a text is remembered. Milliseconds. */
const MEMORY_MS = 15 * MINUTE_MS;
/** Time for which one salt is used. A text said before and after a change counts as two. Milliseconds. */
const SALT_MS = 60 * MINUTE_MS;
/**
 * Numbers of conversations in which the same text is suspect, and in which it is spam: the latter is reached by two new
 * strangers a minute, with the same text for each. From a wider network `timesAt` as many.
 */
export const REPEATS = { suspect: 5, spam: 30 } as const;
/**
 * Maximum number of conversations remembered for one address, over all its texts, and of addresses: about 60 MB if
 * every one says as much as it can. Who says this much else between two repetitions can still send the same text only
 * twice a minute.
 */
const PLACES_MAX = 100;
const SPEAKERS_MAX = 2_000;

/** Conversations in which a text was said, with the time of the last occurrence. */
type Places = Map<ConversationId, number>;

interface Speaker {
  /** Conversations by salted hash of the text, least recently said first. */
  readonly texts: Map<string, Places>;
  suspectUntil: number;
  lastAt: number;
}

/** Called when somebody sends the same text to one stranger after the other. */
export type OnSpam = (site: SiteId, address: AddressHash) => void;

/**
 * Counts the conversations in which the same text is sent from one address. Keeps hashes under a salt that only this
 * process has, for minutes: they do not reveal the text.
 */
export class SpamDetector {
  readonly #clock: MonotonicClock;
  readonly #onSpam: OnSpam;
  /** Speakers by address, least recently active first. */
  readonly #speakers = new Map<string, Speaker>();
  readonly #byNetwork = new TextsByNetwork(MEMORY_MS);
  /** Time until which a wider network is suspect. */
  readonly #suspectNetworks = new Map<string, number>();
  #salt = randomBytes(32);
  #saltedAt: number;

  constructor(clock: MonotonicClock, onSpam: OnSpam) {
    this.#clock = clock;
    this.#onSpam = onSpam;
    this.#saltedAt = clock();
  }

  /** Records a frame of a conversation, numbered or not. */
  record(site: SiteId, addresses: AddressHashes, { conversationId, body }: Frame): void {
    if (body.kind !== 'text' || typeof body['text'] !== 'string') return;
    const text = normalised(body['text']);
    if (text.length < MIN_CHARS) return;
    const now = this.#clock();
    const [address, ...wider] = addresses;
    const speaker = this.#speaker(site, address, now);
    const hash = this.#hash(text, now);
    forgetOld(speaker, now);
    const places = placesOf(speaker, hash);
    if (places.size >= REPEATS.spam) return;
    if (!places.has(conversationId)) this.#heardFrom(site, address, wider, hash, now);
    places.set(conversationId, now);
    makeRoom(speaker, places);
    if (places.size >= REPEATS.suspect) speaker.suspectUntil = now + MEMORY_MS;
    if (places.size === REPEATS.spam) this.#onSpam(site, address);
  }

  /** Returns whether the same text was sent from an address to so many that a proof of work should be required. */
  isSuspect(site: SiteId, [address, ...wider]: AddressHashes): boolean {
    const now = this.#clock();
    const speaker = this.#speakers.get(keyOf(site, address));
    if (speaker !== undefined && speaker.suspectUntil > now) return true;
    return wider.some((network) => (this.#suspectNetworks.get(keyOf(site, network)) ?? now) > now);
  }

  /** Number of addresses remembered, for tests of leaks. */
  get size(): number {
    return this.#speakers.size;
  }

  /**
   * Counts by the wider networks. Only the speaker is reported as spamming: others of such a network say something
   * else.
   */
  #heardFrom(site: SiteId, address: AddressHash, wider: readonly AddressHash[], hash: string, now: number): void {
    let isSpam = false;
    for (const [index, network] of wider.entries()) {
      const count = this.#byNetwork.heard(site, network, hash, now);
      const times = timesAt(index + 1);
      isSpam ||= count >= REPEATS.spam * times;
      if (count >= REPEATS.suspect * times) this.#suspect(keyOf(site, network), now);
    }
    if (isSpam) this.#onSpam(site, address);
  }

  #suspect(network: string, now: number): void {
    this.#suspectNetworks.delete(network);
    this.#suspectNetworks.set(network, now + MEMORY_MS);
    for (const [other, until] of this.#suspectNetworks) {
      if (this.#suspectNetworks.size <= SPEAKERS_MAX && until > now) break;
      this.#suspectNetworks.delete(other);
    }
  }

  #speaker(site: SiteId, address: AddressHash, now: number): Speaker {
    const key = keyOf(site, address);
    const speaker = this.#speakers.get(key) ?? { texts: new Map(), suspectUntil: 0, lastAt: now };
    speaker.lastAt = now;
    this.#speakers.delete(key);
    this.#speakers.set(key, speaker);
    for (const [id, { lastAt }] of this.#speakers) {
      if (this.#speakers.size <= SPEAKERS_MAX && lastAt + MEMORY_MS > now) break;
      this.#speakers.delete(id);
    }
    return speaker;
  }

  #hash(text: string, now: number): string {
    if (now - this.#saltedAt >= SALT_MS) {
      this.#salt = randomBytes(32);
      this.#saltedAt = now;
    }
    return createHmac('sha256', this.#salt).update(text).digest('base64url');
  }
}

function forgetOld({ texts }: Speaker, now: number): void {
  for (const [hash, places] of texts) {
    for (const [conversationId, at] of places) if (at + MEMORY_MS <= now) places.delete(conversationId);
    if (places.size === 0) texts.delete(hash);
  }
}

/** Returns the conversations of the last minutes with this text, and makes it the speaker's most recent one. */
function placesOf({ texts }: Speaker, hash: string): Places {
  const places: Places = texts.get(hash) ?? new Map<ConversationId, number>();
  texts.delete(hash);
  texts.set(hash, places);
  return places;
}

/** Drops the text with the fewest conversations, of these the least recent one; never the one said now. */
function makeRoom({ texts }: Speaker, latest: Places): void {
  let [sum, fewest, least] = [0, Infinity, ''];
  for (const [hash, places] of texts) {
    sum += places.size;
    if (places === latest || places.size >= fewest) continue;
    [fewest, least] = [places.size, hash];
  }
  if (sum > PLACES_MAX) texts.delete(least);
}

/** Normalises a text to letters and digits in one case, so that characters inserted to vary it do not count. */
function normalised(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

const keyOf = (site: SiteId, address: AddressHash) => `${site} ${address}`;
