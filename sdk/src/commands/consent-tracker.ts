import type { Agreed, Policy } from '../protocol/index.ts';
import { type Agreement, agreementToRepeat, withAgreement } from './consent.ts';
import type { RequestRetrier } from './request-retrier.ts';

export interface ConsentTrackerParts {
  readonly retrier: Pick<RequestRetrier, 'ask'>;
  /** Returns what the session has agreed to, as the snapshot shows it. */
  readonly agreed: () => Agreed | null;
  readonly show: (patch: { readonly agreed: Agreed; readonly policy?: Policy }) => void;
  /** Called once an agreement was answered, or refused: a search may wait for it. */
  readonly settled: () => void;
}

/** Tracks what the visitor agreed to on this page, so that nobody is asked twice for one thing when a session begins anew. */
export class ConsentTracker {
  readonly #parts: ConsentTrackerParts;
  /** Agreements of this page, whichever session heard them. */
  #given: Agreed = { rules: null, ageBand: null };
  /** Agreements that the service has not answered yet. */
  readonly #pending = new Set<Agreement>();

  constructor(parts: ConsentTrackerParts) {
    this.#parts = parts;
  }

  /** Set while the service has an agreement to answer. */
  get isPending(): boolean {
    return this.#pending.size > 0;
  }

  /** Returns what `agreed` becomes once the service has answered; by itself what it knows now. */
  expected(agreed = this.#parts.agreed()): Agreed | null {
    return [...this.#pending].reduce(withAgreement, agreed);
  }

  /** Tells the service. Rejects with its refusal. */
  async tell(agreement: Agreement): Promise<void> {
    const { retrier, agreed, show, settled } = this.#parts;
    this.#pending.add(agreement);
    try {
      await retrier.ask('session:agree', agreement);
      this.#given = withAgreement(this.#given, agreement);
      show({ agreed: withAgreement(agreed(), agreement) });
    } finally {
      this.#pending.delete(agreement);
      settled();
    }
  }

  /** Tells a session that begins what this page has agreed to and the session has not. */
  sessionReady(policy: Policy, agreed: Agreed): void {
    const { show } = this.#parts;
    const again = agreementToRepeat(this.#given, policy, this.expected(agreed)!);
    show({ policy, agreed: again === null ? agreed : withAgreement(agreed, again) });
    if (again === null) return;
    this.tell(again).catch(() => {
      // Then the visitor is asked again after all.
      show({ agreed });
    });
  }
}
