/** Why a payload was refused before it was parsed. */
export type PayloadFault = 'too_large' | 'too_complex';

/**
 * Stands in for the payload of an event that was refused before it was parsed, so that the event is counted, and
 * answered if it asks for that, like any other. No JSON has it, and no schema lets it through.
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
