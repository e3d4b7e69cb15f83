import type { ChatErrorCode } from '@passerby/sdk';
import type { StringName } from '../i18n/en.ts';

/** Texts for a refusal. The error's own `retry` decides whether "try again" is offered. */
interface Refusal {
  readonly heading: StringName;
  readonly how: StringName;
}

const broken: Refusal = { heading: 'broken', how: 'brokenHow' };
const updating: Refusal = { heading: 'updating', how: 'updatingHow' };
const notHere: Refusal = { heading: 'notHere', how: 'notHereHow' };
const tooOld: Refusal = { heading: 'tooOld', how: 'tooOldHow' };

/** Texts by error code. Complete by its type: a new code without texts does not compile. */
export const REFUSALS: Readonly<Record<ChatErrorCode, Refusal>> = {
  bad_request: broken,
  origin_refused: notHere,
  request_too_slow: broken,
  unauthorized: broken,
  key_revoked: notHere,
  claims_refused: notHere,
  banned: { heading: 'banned', how: 'bannedHow' },
  agreement_needed: { heading: 'agreementNeeded', how: 'agreementNeededHow' },
  proof_needed: broken,
  age_band_fixed: { heading: 'ageBandFixed', how: 'ageBandHow' },
  client_too_old: tooOld,
  server_too_old: updating,
  not_found: broken,
  method_not_allowed: broken,
  not_in_conversation: broken,
  already_in_conversation: broken,
  session_gone: broken,
  already_exists: broken,
  payload_too_large: broken,
  unsupported_media_type: broken,
  head_too_large: broken,
  rate_limited: { heading: 'slowDown', how: 'slowDownHow' },
  internal: broken,
  unavailable: updating,
  timeout: broken,
  aborted: broken,
  closed: { heading: 'chatClosed', how: 'chatClosedHow' },
  wrong_state: broken,
  open_elsewhere: { heading: 'elsewhere', how: 'elsewhereHow' },
  text_refused: { heading: 'textRefused', how: 'textRefused' },
  outbox_full: { heading: 'outboxFull', how: 'outboxFull' },
};

/**
 * Advice in the console for the owner of a site that refuses this page. Other refusals of a page have the error's own
 * message.
 */
export function ownerAdvice(site: string, origin: string): string {
  return (
    `Passerby: this page (${origin}) may not use the site key "${site}". ` +
    `Check the key in data-site, and add ${origin} to the origins of its site. On localhost only a test key is valid.`
  );
}
