import { parseUrl } from './internal/parse-url.ts';
import { withoutSecrets } from './internal/without-secrets.ts';
import { ID_PATTERN, type SiteKey } from './protocol/index.ts';

/** Options of `createChat`. */
export interface ChatOptions {
  /** Address of the service, such as `https://chat.example.org`. Scheme and host only; a path is refused. */
  readonly url: string;
  /** Publishable key of the site, `pk_live_…` or `pk_test_…`. */
  readonly site: string;
  /**
   * Value of the `Origin` header outside a browser (Node, with jsdom or happy-dom as well), such as
   * `http://localhost`. Required there: without it the service refuses with `origin_refused`. A browser always sends
   * the page's own and ignores this.
   */
  readonly origin?: string | undefined;
  /**
   * Distinguishes several chats of one site in one browser: each scope is a visitor of its own, with a conversation of
   * its own. 0 to 40 of `A-Z a-z 0-9 _ -`. Has to be the same on every page that continues the conversation. Default
   * `''`.
   */
  readonly scope?: string | undefined;
  /**
   * Claims of the site about this visitor: a JWT signed by its server with its secret key, or a function that fetches
   * one. A function is called for every connection, so that a token may be short-lived; if it throws or rejects, the
   * chat is refused with `claims_refused`. Never stored.
   */
  readonly claims?: Claims | undefined;
}

/** See {@link ChatOptions.claims}. */
export type Claims = string | (() => string | Promise<string>);

/** Options that have been checked. */
export interface Target {
  readonly url: string;
  readonly site: SiteKey;
  readonly scope: string;
  readonly origin?: string;
  readonly claims?: Claims;
}

/** Validates the options of `createChat`. @throws TypeError that names the option and the expected value. */
export function checkOptions(options: ChatOptions): Target {
  const { url, site, origin, scope, claims } = (options as ChatOptions | undefined) ?? ({} as Partial<ChatOptions>);
  return {
    url: checkOrigin('url', url, 'the address of the service, such as "https://chat.example.org"'),
    site: checkSite(site),
    scope: checkScope(scope),
    ...(origin === undefined ? {} : { origin: checkOrigin('origin', origin, 'an origin such as "http://localhost"') }),
    ...(claims === undefined ? {} : { claims: checkClaims(claims) }),
  };
}

function checkSite(site: unknown): SiteKey {
  if (typeof site === 'string' && ID_PATTERN.siteKey.test(site)) return site as SiteKey;
  throw wrong(
    'site',
    'a publishable site key, "pk_live_" or "pk_test_" and 4 to 60 letters, digits or underscores',
    site,
  );
}

const SCOPE_PATTERN = /^[A-Za-z0-9_-]{0,40}$/;

function checkScope(scope: unknown = ''): string {
  if (typeof scope === 'string' && SCOPE_PATTERN.test(scope)) return scope;
  throw wrong('scope', 'at most 40 letters, digits, "-" or "_"', scope);
}

function checkClaims(claims: unknown): Claims {
  if (typeof claims === 'string' || typeof claims === 'function') return claims as Claims;
  // The value is not repeated: it may be a secret.
  throw wrong('claims', 'a signed token, or a function that answers or promises one', typeof claims);
}

/** Scheme and host only: a path would be lost silently, since the endpoint's own is fixed. */
function checkOrigin(name: keyof ChatOptions, value: unknown, wish: string): string {
  const url = typeof value === 'string' ? parseUrl(value) : null;
  const isPlain = url !== null && ['http:', 'https:'].includes(url.protocol) && `${url.origin}/` === url.href;
  if (!isPlain) throw wrong(name, `${wish}: http or https, a host, and nothing after it`, value);
  return url.origin;
}

function wrong(name: keyof ChatOptions, wish: string, value: unknown): TypeError {
  const given = JSON.stringify(value) ?? String(value);
  return new TypeError(withoutSecrets(`createChat: "${name}" must be ${wish}; got ${given}.`));
}
