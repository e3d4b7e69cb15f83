import { isIP } from 'node:net';
import { getPublicSuffix } from 'tldts';
import { isOwnMachine, USUAL_OWN_HOSTS } from '../privacy/own-machine.ts';

/**
 * Entry of a site's list of allowed origins:
 * - `https://example.com`, `http://localhost:8080`: exactly this scheme, host and port;
 * - `https://*.example.com`: one or more whole labels before `.example.com`, not the bare domain; never a public suffix;
 * - `http://localhost:*`: any port, for the names of this machine only; with test keys only;
 * - `null`: pages with an opaque origin (`file:`, sandboxed frames), which any site can create; with test keys only.
 */
export type OriginRule =
  | { readonly kind: 'exact'; readonly origin: string }
  | { readonly kind: 'subdomains'; readonly protocol: string; readonly suffix: string; readonly port: string }
  | { readonly kind: 'any_port'; readonly protocol: string; readonly hostname: string }
  | { readonly kind: 'null' };

/**
 * Parses an entry of the records; `null` if it was accepted when stored and is invalid now. Such an entry matches no
 * origin; the other entries of its list are not affected.
 */
export function readOriginRule(entry: string): OriginRule | null {
  try {
    return parseOriginRule(entry);
  } catch {
    return null;
  }
}

/** Parses an entry. Throws an `Error` whose message names its fault. */
export function parseOriginRule(entry: string): OriginRule {
  if (entry === 'null') return { kind: 'null' };
  const anyPort = /^(https?:\/\/[^/:*]+|https?:\/\/\[::1\]):\*$/.exec(entry);
  if (anyPort !== null) {
    const url = parse(anyPort[1]!, entry);
    if (!USUAL_OWN_HOSTS.some((host) => host === url.hostname)) {
      throw new Error(`"${entry}": any port (":*") is for ${USUAL_OWN_HOSTS.join(', ')} only`);
    }
    return { kind: 'any_port', protocol: url.protocol, hostname: url.hostname };
  }
  if (entry.includes('*')) {
    const wildcard = /^(https:\/\/)\*\.([^*]+)$/.exec(entry);
    if (wildcard === null)
      throw new Error(`"${entry}": a wildcard stands for whole labels in front, as in https://*.example.com`);
    const url = parse(wildcard[1]! + wildcard[2]!, entry);
    const domain = url.hostname.replace(/\.+$/, '');
    if (isIP(domain) !== 0 || domain.startsWith('[')) throw new Error(`"${entry}": an address has no subdomains`);
    if (!domain.includes('.')) throw new Error(`"${entry}": a wildcard needs a domain of at least two labels`);
    if (isOfManyOwners(domain)) {
      throw new Error(
        `"${entry}": anybody can have a name under ${domain}; write a domain of your own, as in https://*.example.com`,
      );
    }
    return { kind: 'subdomains', protocol: url.protocol, suffix: `.${url.hostname}`, port: url.port };
  }
  return { kind: 'exact', origin: parse(entry, entry).origin };
}

/**
 * Returns whether a rule matches pages that anybody can serve or create: those of a visitor's own machine, and those
 * with an opaque origin.
 */
export function isForTestsOnly(rule: OriginRule): boolean {
  switch (rule.kind) {
    case 'exact':
      return isOwnMachine(new URL(rule.origin).hostname);
    case 'subdomains':
      return isOwnMachine(rule.suffix.slice(1));
    case 'any_port':
    case 'null':
      return true;
  }
}

/**
 * Returns whether a domain is a public suffix, directly under which names belong to different owners (Public Suffix
 * List): registries such as `co.uk`, and shared hosts such as `github.io`.
 */
function isOfManyOwners(domain: string): boolean {
  const isSuffix = (name: string) => getPublicSuffix(name, { allowPrivateDomains: true }) === name;
  return isSuffix(domain) || isSuffix(`any.${domain}`);
}

function parse(text: string, entry: string): URL {
  if (!URL.canParse(text))
    throw new Error(`"${entry}" is not an origin; write scheme and host, as in https://example.com`);
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Error(`"${entry}": an origin begins with https:// or http://, as in https://example.com`);
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || text.endsWith('/')) {
    throw new Error(`"${entry}": an origin is scheme and host (and port), without a path`);
  }
  return url;
}

/**
 * Returns whether a request's `Origin` header matches one of the rules. Browsers send it in canonical form; anything
 * that `URL` would change is refused, so variants by case, trailing dot, default port or repeated headers never match.
 */
export function isOriginAllowed(origin: string | undefined, rules: readonly OriginRule[]): boolean {
  if (origin === undefined) return false;
  if (origin === 'null') return rules.some((rule) => rule.kind === 'null');
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (url.origin !== origin) return false;
  return rules.some((rule) => {
    switch (rule.kind) {
      case 'exact':
        return rule.origin === origin;
      case 'subdomains':
        return (
          url.protocol === rule.protocol &&
          url.port === rule.port &&
          url.hostname.endsWith(rule.suffix) &&
          url.hostname.length > rule.suffix.length
        );
      case 'any_port':
        return url.protocol === rule.protocol && url.hostname === rule.hostname;
      case 'null':
        return false;
    }
  });
}
