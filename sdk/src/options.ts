import { ID_PATTERN, type SiteKey } from './protocol/index.ts';

/** What `createChat` needs to know. */
export interface ChatOptions {
  /** Address of the service, such as `https://chat.example.org`. Scheme and host only; a path is refused. */
  readonly url: string;
  /** Publishable key of the site, `pk_…`. */
  readonly site: string;
  /**
   * What to send as the `Origin` header outside a browser (Node), such as `http://localhost`. A
   * browser always sends the page's own and ignores this.
   */
  readonly origin?: string;
}

/** Options that have been checked. */
export interface Target {
  readonly url: string;
  readonly site: SiteKey;
  readonly origin?: string;
}

/** The door every option comes through. @throws TypeError that names the option and what it wants. */
export function checkOptions(options: ChatOptions): Target {
  const { url, site, origin } = (options as ChatOptions | undefined) ?? ({} as Partial<ChatOptions>);
  return {
    url: checkOrigin('url', url, 'the address of the service, such as "https://chat.example.org"'),
    site: checkSite(site),
    ...(origin === undefined ? {} : { origin: checkOrigin('origin', origin, 'an origin such as "http://localhost"') }),
  };
}

function checkSite(site: unknown): SiteKey {
  if (typeof site === 'string' && ID_PATTERN.siteKey.test(site)) return site as SiteKey;
  throw wrong('site', 'a publishable site key, "pk_" and 4 to 60 letters, digits or underscores', site);
}

/** Scheme and host only: a path would be lost silently, since the endpoint's own is fixed. */
function checkOrigin(name: keyof ChatOptions, value: unknown, wish: string): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  const isPlain = url !== null && ['http:', 'https:'].includes(url.protocol) && `${url.origin}/` === url.href;
  if (!isPlain) throw wrong(name, `${wish}: http or https, a host, and nothing after it`, value);
  return url.origin;
}

function wrong(name: keyof ChatOptions, wish: string, value: unknown): TypeError {
  return new TypeError(`createChat: "${name}" must be ${wish}; got ${JSON.stringify(value) ?? String(value)}.`);
}
