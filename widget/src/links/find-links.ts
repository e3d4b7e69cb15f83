import { parseUrl } from '../parse-url.ts';

/** Piece of a message: text, or a link that may be followed. */
export interface Piece {
  readonly text: string;
  /** Destination as the browser parses it; `null` for text. */
  readonly link: URL | null;
}

const CANDIDATE = /(?<![\p{L}\p{N}_])https:\/\/[^\s<>"'`{}|\\^\p{C}]+/giu;
/** Characters that end a sentence and not a URL. */
const TRAILING = /[.,;:!?…*_~'"’”»)\]]$/u;

/**
 * Splits a text at its links: `https://`, a host name with a dot, and neither user nor password. Where the browser
 * parses another host than is written (letters of other scripts, invisible ones), the link shows the parsed one.
 */
export function findLinks(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: candidate, index } of text.matchAll(CANDIDATE)) {
    const address = withoutTrailing(candidate);
    const link = readLink(address);
    if (link === null) continue;
    if (index > end) pieces.push({ text: text.slice(end, index), link: null });
    pieces.push({ text: shown(address, link), link });
    end = index + address.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), link: null });
  return pieces;
}

function withoutTrailing(candidate: string): string {
  let address = candidate;
  while (TRAILING.test(address)) {
    const isPair = address.endsWith(')') && address.split('(').length >= address.split(')').length;
    if (isPair) break;
    address = address.slice(0, -1);
  }
  return address;
}

function readLink(address: string): URL | null {
  const url = authority(address).includes('@') ? null : parseUrl(address);
  if (url === null) return null;
  const isName = /^[a-z0-9-]+(\.[a-z0-9-]+)+\.?$/.test(url.hostname);
  return url.protocol === 'https:' && url.username === '' && isName ? url : null;
}

const authority = (address: string) => /^https:\/\/([^/?#]*)/i.exec(address)?.[1] ?? '';

const shown = (address: string, link: URL) => (authority(address).toLowerCase() === link.host ? address : link.href);
