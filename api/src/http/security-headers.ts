import type { Context, Middleware, Next } from 'koa';
import helmet from 'koa-helmet';

/** None of it is used by any page of ours, nor may what they embed. */
const PERMISSIONS = 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()';

/**
 * Headers of every answer, whoever gives it: Koa, Socket.IO, or the listener for what is no request. Koa's
 * answers have more, and may replace these.
 */
export const BASE_HEADERS: ReadonlyMap<string, string> = new Map([
  ['Cache-Control', 'no-store'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['X-Content-Type-Options', 'nosniff'],
]);

/** Security headers of every answer. The widget's files loosen `Cross-Origin-Resource-Policy`. */
export function securityHeaders(): Middleware {
  const helmeted = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        frameSrc: ["'self'"],
        frameAncestors: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
        trustedTypes: ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    // Names beneath the service's own are not its to speak for.
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    xFrameOptions: { action: 'sameorigin' },
  });
  return async (context: Context, next: Next): Promise<void> => {
    context.set('Permissions-Policy', PERMISSIONS);
    await helmeted(context, next);
  };
}
