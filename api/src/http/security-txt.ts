import Router from '@koa/router';
import type { Clock } from '../clock.ts';

/** Time until `Expires`. RFC 9116 recommends less than a year. Milliseconds. */
const GOOD_FOR_MS = 180 * 24 * 60 * 60_000;

export interface SecurityTxtParts {
  /** Contact for reports of vulnerabilities: `mailto:` or `https:`. Without it the file is not served. */
  readonly contact: string | undefined;
  readonly publicUrl: string | undefined;
  readonly clock: Clock;
}

/** Route `GET /.well-known/security.txt` (RFC 9116). */
export function securityTxtRoutes({ contact, publicUrl, clock }: SecurityTxtParts): Router {
  const router = new Router();
  router.get(SECURITY_TXT_PATH, (context) => {
    if (contact === undefined) return;
    const lines = [
      `Contact: ${contact}`,
      `Expires: ${new Date(clock() + GOOD_FOR_MS).toISOString()}`,
      'Preferred-Languages: en',
      ...(publicUrl === undefined ? [] : [`Canonical: ${new URL(SECURITY_TXT_PATH, publicUrl).href}`]),
    ];
    context.type = 'text/plain; charset=utf-8';
    context.set('Cache-Control', 'no-cache');
    context.body = `${lines.join('\n')}\n`;
  });
  return router;
}

const SECURITY_TXT_PATH = '/.well-known/security.txt';
