import type { PushName, PushPayload } from '@passerby/sdk/protocol';
import type { SessionId, SiteId } from '../src/domain/ids.ts';
import type { SessionRef } from '../src/domain/session.ts';
import type { Visitor } from '../src/domain/visitor.ts';
import { Metrics } from '../src/observability/metrics.ts';
import { type LocalSession, LocalSessions, type VisitorConnection } from '../src/sessions/local-sessions.ts';
import { RetainedStates } from '../src/sessions/retained-states.ts';
import { VISITOR } from './fingerprints.ts';

export const refOf = (name: string, site = 'site_shop', fence = 1): SessionRef => ({
  site: site as SiteId,
  sessionId: `s_${name}` as SessionId,
  fence,
});

/** Connection that records what it is told. */
export class RecordingConnection implements VisitorConnection {
  isOpen = true;
  session: LocalSession | null = null;
  readonly told: { readonly name: PushName; readonly payload: unknown }[] = [];
  /** Acknowledgements that the client may give, in the order of the pushes that ask for one. */
  readonly confirmations: (() => void)[] = [];

  welcome(session: LocalSession, payload: PushPayload<'session:ready'>, confirmed: () => void): void {
    this.session = session;
    this.told.push({ name: 'session:ready', payload });
    if (payload.recovered) this.confirmations.push(confirmed);
  }

  push<Name extends PushName>(name: Name, payload: PushPayload<Name>): void {
    this.told.push({ name, payload });
  }

  pushStarted(payload: PushPayload<'conversation:started'>, confirmed: () => void): void {
    this.push('conversation:started', payload);
    this.confirmations.push(confirmed);
  }

  close(): void {
    this.isOpen = false;
    this.session = null;
  }
}

/** A node's visitors, without a service around them. */
export class TestVisitors {
  readonly metrics = new Metrics();
  readonly retained: RetainedStates;
  readonly local: LocalSessions;

  constructor(clock: () => number = () => 0, factor = 1) {
    this.retained = new RetainedStates({ clock, factor, metrics: this.metrics });
    this.local = new LocalSessions(this.retained);
  }

  /** Connects a visitor. */
  add(ref: SessionRef, visitor: Visitor = VISITOR): { session: LocalSession; connection: RecordingConnection } {
    const connection = new RecordingConnection();
    const session = this.local.add(ref, visitor, connection);
    connection.session = session;
    return { session, connection };
  }
}
