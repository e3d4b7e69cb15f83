import { embedTag } from '../embed-tag.ts';
import { isForTestsOnly, readOriginRule } from '../sites/origin-rule.ts';
import type { KeyView, NewKeyView, SiteView } from '../sites/site-service.ts';

/** Output of a command: for machines, and for people. */
export interface CommandOutput {
  readonly json: unknown;
  readonly text: string;
}

const NOT_AGAIN = 'Keep it on your server only. It is not shown again.';
const UNREADABLE = 'This version cannot read its settings, so it is disabled: site policy set replaces them.';

/** Warning about a live key of a site whose origins are all on the local machine. */
const FOR_TESTS = 'All its origins are valid for the test key only: a live key needs one such as https://my.site';

export function newSiteAnswer(site: SiteView, keys: readonly NewKeyView[], url: string): CommandOutput {
  const [live, test, secret] = keys as readonly [NewKeyView, NewKeyView, NewKeyView];
  const isForTests = areForTestsOnly(site.origins);
  const tag = embedTag(url, isForTests ? test.text : live.text);
  const origins =
    site.origins.length === 0
      ? `No origin may use it yet: npx @passerby/api site origin add ${site.id} https://my.site`
      : `Origins that may use it: ${site.origins.join(', ')}`;
  return {
    json: { site, keys, tag },
    text: lines(
      `Created ${site.name}: ${site.id}`,
      origins,
      ...(isForTests ? [FOR_TESTS] : []),
      '',
      'Tag for your pages:',
      `  ${tag}`,
      '',
      `Live key    ${live.text}`,
      `Test key    ${test.text}   (localhost is valid for this one only)`,
      `Secret key  ${secret.text}`,
      `            ${NOT_AGAIN}`,
    ),
  };
}

export function newKeyAnswer(key: NewKeyView, { origins }: SiteView): CommandOutput {
  const isShut = key.kind === 'publishable' && key.mode === 'live' && areForTestsOnly(origins);
  return {
    json: key,
    text: lines(
      `${key.id}: ${key.kind}, ${key.mode}`,
      key.text,
      ...(key.kind === 'secret' ? [NOT_AGAIN] : []),
      ...(isShut ? [FOR_TESTS] : []),
    ),
  };
}

/** Returns whether there are origins, and a live key works on none of them. */
function areForTestsOnly(origins: readonly string[]): boolean {
  const rules = origins.map(readOriginRule).filter((rule) => rule !== null);
  return rules.length > 0 && rules.every(isForTestsOnly);
}

export function keyAnswer(key: KeyView): CommandOutput {
  return { json: key, text: lines(keyLine(key)) };
}

export function keysAnswer(keys: readonly KeyView[]): CommandOutput {
  return { json: keys, text: lines(...keys.map(keyLine)) };
}

export function sitesAnswer(sites: readonly SiteView[]): CommandOutput {
  const text =
    sites.length === 0
      ? ['No sites. Create one: npx @passerby/api site add "My site" --origin https://my.site']
      : sites.map(({ id, name, isDisabled, origins }) =>
          [id, isDisabled ? 'disabled' : 'enabled ', name, origins.join(' ')].join('  ').trimEnd(),
        );
  return { json: sites, text: lines(...text) };
}

export function siteAnswer(site: SiteView): CommandOutput {
  return {
    json: site,
    text: lines(
      `${site.id}  ${site.name}${site.isDisabled ? '  (disabled)' : ''}`,
      ...(site.settings === null ? [UNREADABLE] : []),
      ...site.origins.map((origin) => `origin  ${origin}`),
      ...site.keys.map(keyLine),
    ),
  };
}

export function originsAnswer({ origins }: SiteView): CommandOutput {
  return { json: origins, text: lines(...origins) };
}

export function policyAnswer({ settings }: SiteView): CommandOutput {
  return { json: settings, text: lines(settings === null ? UNREADABLE : JSON.stringify(settings, null, 2)) };
}

function keyLine(key: KeyView): string {
  return `${key.id}  ${key.kind}  ${key.mode}  ${stateOf(key)}  ${key.hint}`;
}

function stateOf({ isGood, expiresAt, revokedAt }: KeyView): string {
  if (revokedAt !== null) return `revoked ${new Date(revokedAt).toISOString()}`;
  if (expiresAt === null) return 'good';
  return `${isGood ? 'good until' : 'ended'} ${new Date(expiresAt).toISOString()}`;
}

function lines(...text: readonly string[]): string {
  return text.map((line) => `${line}\n`).join('');
}
