/** Reasons for which a payload is refused before it is parsed. */
export type PayloadFault = 'too_large' | 'too_complex';

/**
 * Placeholder for a payload that was refused before it was parsed, so that the event is counted, limited and answered
 * like any other. A symbol: JSON cannot produce it and no schema accepts it.
 */
export const REFUSED_PAYLOAD: Readonly<Record<PayloadFault, symbol>> = {
  too_large: Symbol('too_large'),
  too_complex: Symbol('too_complex'),
};

/** Returns why this payload was refused before it was parsed; `null` if it was not. */
export function payloadFault(payload: unknown): PayloadFault | null {
  if (payload === REFUSED_PAYLOAD.too_large) return 'too_large';
  return payload === REFUSED_PAYLOAD.too_complex ? 'too_complex' : null;
}
