import { LIMITS } from '@passerby/sdk';
import { parseUrl } from './parse-url.ts';

/** Options of a site owner, in the attributes of `<passerby-chat>`, or as `data-*` of the script tag. */
export interface WidgetOptions {
  /** `site`: the publishable key, `pk_…`. Required. */
  readonly site: string;
  /** `scope`: distinguishes several chats of one site in one browser, each a visitor of its own. Default: empty. */
  readonly scope: string;
  /** `api`: URL of the service. Default: the origin that `passerby-chat.js` came from; in a bundle there is none. */
  readonly api: string;
  /** `topic`: subject of this page; visitors of the same topic meet first. Default: the path of the page; empty: none. */
  readonly topic: string;
  /** `lang`: language in which times and lists are formatted. Default: the language of the page, else of the browser. */
  readonly lang: string | undefined;
  /** `label`: name of the launcher, instead of `strings.launcher`. */
  readonly label: string | undefined;
  /** `color`: the site's brand colour, any CSS colour. `--passerby-you` in the page's own style does the same. */
  readonly color: string | undefined;
  /** `inline`: the panel is always open, in its place in the page, without a launcher. */
  readonly isInline: boolean;
}

/** The attributes that {@link readOptions} reads. `position`, `theme` and `dir` are read by the style sheet. */
export const OPTION_ATTRIBUTES = ['site', 'scope', 'api', 'topic', 'lang', 'label', 'color', 'inline'] as const;

/** Surroundings of a widget, from which missing attributes are derived. */
export interface Surroundings {
  /** Address of this module. */
  readonly moduleUrl: string;
  readonly pagePath: string;
  readonly pageLang: string;
}

/** Reads the options of a widget. `attribute` works like `Element.getAttribute`. */
export function readOptions(attribute: (name: string) => string | null, around: Surroundings): WidgetOptions {
  const lang = attribute('lang') || around.pageLang;
  // In a bundle this file comes from the site, and only the site knows where the service is.
  const isServed = around.moduleUrl.includes('/passerby-chat.js');
  const api = attribute('api')?.trim() || (isServed ? around.moduleUrl : '');
  return {
    site: attribute('site')?.trim() ?? '',
    scope: attribute('scope')?.trim() ?? '',
    api: api && originOf(api, around.moduleUrl),
    topic: (attribute('topic') ?? around.pagePath).trim().slice(0, LIMITS.topicMaxChars),
    lang: isLanguage(lang) ? lang : undefined,
    label: attribute('label')?.trim() || undefined,
    color: attribute('color')?.trim() || undefined,
    isInline: attribute('inline') !== null,
  };
}

function originOf(address: string, base: string): string {
  return parseUrl(address, base)?.origin ?? address;
}

/** Returns whether a text is a language tag. `Intl` throws for any other text, and page authors write all kinds. */
function isLanguage(lang: string): boolean {
  try {
    return Intl.getCanonicalLocales(lang).length > 0;
  } catch {
    return false;
  }
}
