import type { Context, Middleware, Next } from 'koa';
import helmet from 'koa-helmet';

/** Browser features that no page of this service uses, and that its frames may not use either. */
const PERMISSIONS = 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()';

/**
 * Headers of every response, from Koa, Socket.IO, or the listener for malformed requests. Koa's responses have more,
 * and may replace these.
 */
export const BASE_HEADERS: ReadonlyMap<string, string> = new Map([
  ['Cache-Control', 'no-store'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['X-Content-Type-Options', 'nosniff'],
]);

/** Sets the security headers of every response. The widget's files loosen `Cross-Origin-Resource-Policy`. */
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
