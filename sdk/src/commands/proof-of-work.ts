import { ChatError } from '../errors.ts';
import type { RequestRetrierParts } from './request-retrier.ts';

/**
 * Solves a challenge of the service's. What was not answered, or not accepted, is left to whoever asks
 * again: the service then wants another proof.
 * @throws ChatError the refusal of a challenge; `proof_needed` where the page cannot compute; `aborted`.
 */
export async function prove(request: RequestRetrierParts['request'], stop: AbortController): Promise<void> {
  // Its type says it is always there; on plain HTTP it is not, unless that is localhost.
  if ((crypto as Partial<Crypto>).subtle === undefined) {
    throw new ChatError('proof_needed', { message: 'A proof can be computed on pages served over https only.' });
  }
  const asked = await request('session:challenge', {});
  if (asked.kind === 'refused') throw ChatError.fromWire(asked.error);
  if (asked.kind === 'unknown') return;
  // Few visitors ever need it: it is loaded when one does.
  const { solveChallenge } = await import('./solve-challenge.ts').catch(() => {
    throw new ChatError('unavailable');
  });
  const solution = await solveChallenge(asked.data.challenge, stop);
  if (solution === null) throw new ChatError('aborted');
  await request('session:prove', { solution });
}
