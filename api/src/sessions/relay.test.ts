import { TIMES, type ConversationId, type Frame, type Run } from '@passerby/sdk/protocol';
import { describe, expect, it } from 'vitest';
import { noNodeBus } from '../cluster/node-bus.ts';
import { refOf, TestVisitors } from '../../test/local-visitor.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { Seat } from '../domain/session.ts';
import { Metrics } from '../observability/metrics.ts';
import { Relay } from './relay.ts';

const [A, B] = ['s_a', 's_b'] as SessionId[] as [SessionId, SessionId];
const ID = 'c_1' as ConversationId;
const NODE = 'n_1' as NodeId;

const frame = (seq: number): Frame => ({
  conversationId: ID,
  run: 'run' as Run,
  seq,
  ack: 0,
  body: seq > 0 ? { kind: 'text', text: 'hello' } : { kind: 'typing', on: true },
});

/** A sits here, and B is who they talk to. */
function stage() {
  let now = 0;
  const seat: Seat = {
    conversationId: ID,
    role: 'offerer',
    shared: { interests: [], isSameTopic: false },
    peer: { site: 'site_a' as SiteId, sessionId: B, nodeId: NODE },
  };
  const visitors = new TestVisitors(() => now);
  const relay = new Relay({
    local: visitors.local,
    clock: () => now,
    bus: noNodeBus,
    nodeId: NODE,
    metrics: new Metrics(),
  });
  const connect = () => {
    const { session } = visitors.add(refOf('a'));
    relay.seat(session, seat, 60_000);
    return session;
  };
  let session = connect();
  const disconnect = () => {
    visitors.local.remove(session);
    relay.unseat(session);
  };
  return {
    relay,
    disconnect,
    comeBack: () => void (session = connect()),
    leave: () => relay.unseat(session),
    pass: (ms: number) => void (now += ms),
    hasHeard: () => relay.hasHeardPeer(A, ID),
  };
}

describe('S33 peer that a visitor has received from', () => {
  it('is recorded from the first numbered frame that was delivered', () => {
    const { relay, hasHeard, disconnect, comeBack } = stage();
    relay.receive(B, A, frame(0));
    relay.receive('s_other' as SessionId, A, frame(1));
    disconnect();
    expect(relay.receive(B, A, frame(1))).toBe('peer_away');
    expect(hasHeard()).toBe(false);
    comeBack();
    relay.receive(B, A, frame(1));
    expect(hasHeard()).toBe(true);
    expect(relay.hasHeardPeer(B, ID)).toBe(false);
  });

  it('is known while a conversation runs, also after a resume, and for a while after its end', () => {
    const { relay, disconnect, comeBack, leave, pass, hasHeard } = stage();
    relay.receive(B, A, frame(1));
    disconnect();
    comeBack();
    pass(2 * TIMES.reportMs);
    expect(hasHeard()).toBe(true);
    leave();
    pass(TIMES.reportMs - 1);
    expect(hasHeard()).toBe(true);
    pass(1);
    expect(hasHeard()).toBe(false);
  });
});
