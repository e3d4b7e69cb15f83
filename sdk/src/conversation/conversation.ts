import { type PersistedChannel, ReliableChannel, type ReliableChannelParts } from '../delivery/reliable-channel.ts';
import { ChatError } from '../errors.ts';
import type { ChatEvents } from '../events.ts';
import { assertNever } from '../internal/assert-never.ts';
import { unixNow } from '../internal/clock.ts';
import type { Emitter } from '../internal/emitter.ts';
import {
  type ConversationId,
  type ConversationInfo,
  type Frame,
  LIMITS,
  type PeerPresence,
  type Run,
  type Shared,
  type UnknownBody,
} from '../protocol/index.ts';
import type { Message, Peer } from '../state.ts';
import { parseBody } from './parse-body.ts';
import { type PersistedTranscript, type OwnMessage, Transcript } from './transcript.ts';
import { OwnTyping, PeerTyping } from './typing.ts';

/** A conversation as plain data, to be taken up again after a reload. */
export interface PersistedConversation {
  readonly info: ConversationInfo;
  /** `null`: there was no room to keep what was said. */
  readonly said: { readonly channel: PersistedChannel; readonly transcript: PersistedTranscript } | null;
}

/** `new`: it begins now. `lost`: it ran before, and nothing is known of what was said. */
export type ConversationMemory = 'new' | 'lost' | NonNullable<PersistedConversation['said']>;

export interface ConversationParts {
  readonly info: ConversationInfo;
  readonly memory: ConversationMemory;
  readonly newRun: () => Run;
  readonly path: ReliableChannelParts['path'];
  readonly store: ReliableChannelParts['store'];
  readonly emitter: Pick<Emitter<ChatEvents>, 'emit' | 'inTransaction'>;
  /** Called when `peer` or `messages` is a new object, before the event that tells what happened. */
  readonly changed: (conversation: Conversation) => void;
}

/** One running conversation: what is said in it and how it gets there. */
export class Conversation {
  readonly info: ConversationInfo;
  readonly #emitter: ConversationParts['emitter'];
  readonly #changed: () => void;
  readonly #channel: ReliableChannel;
  readonly #transcript: Transcript;
  readonly #ownTyping: OwnTyping;
  readonly #peerTyping: PeerTyping;
  #peer: Peer = { presence: 'here', isTyping: false };
  #isOver = false;
  /** Bodies the peer sent that did not fit their kind. */
  droppedBodies = 0;

  constructor({ info, memory, newRun, path, store, emitter, changed }: ConversationParts) {
    const said = typeof memory === 'string' ? null : memory;
    this.info = info;
    this.#emitter = emitter;
    this.#changed = () => changed(this);
    this.#transcript = new Transcript(said?.transcript);
    this.#channel = new ReliableChannel({
      conversationId: info.conversationId,
      memory: said?.channel ?? (memory === 'lost' ? 'lost' : 'new'),
      newRun,
      path,
      store,
      receive: (body) => {
        this.#receive(body);
      },
      receiveUnnumbered: (body) => {
        this.#receive(body);
      },
      acknowledged: (entries) => {
        this.#acknowledged(entries.map((entry) => entry.key));
      },
    });
    this.#ownTyping = new OwnTyping((on) => {
      this.#channel.postUnnumbered({ kind: 'typing', on });
    });
    this.#peerTyping = new PeerTyping((isTyping) => {
      this.#setPeer({ ...this.#peer, isTyping });
      this.#emitter.emit('typing', { isTyping });
    });
  }

  get id(): ConversationId {
    return this.info.conversationId;
  }

  get shared(): Shared {
    return this.info.shared;
  }

  get kept(): PersistedConversation {
    return { info: this.info, said: { channel: this.#channel.kept, transcript: this.#transcript.kept } };
  }

  get peer(): Peer {
    return this.#peer;
  }

  get messages(): readonly Message[] {
    return this.#transcript.messages;
  }

  /** @throws ChatError `text_refused`, `outbox_full`, `rate_limited`. */
  say(text: string): OwnMessage {
    if (typeof text !== 'string' || text.trim() === '' || text.length > LIMITS.textMaxChars) {
      throw new ChatError('text_refused');
    }
    const retryAfterMs = this.#channel.pausedForMs;
    if (retryAfterMs > 0) throw new ChatError('rate_limited', { retryAfterMs });
    if (this.#channel.isFull) throw new ChatError('outbox_full');
    const message = this.#transcript.addOwn(text, unixNow());
    this.#ownTyping.messageSent();
    this.#channel.post({ key: message.id, body: { kind: 'text', text } });
    this.#changed();
    return message;
  }

  type(on: boolean): void {
    this.#ownTyping.set(on);
  }

  /** A frame of the peer. Listeners are called once all of it is in the transcript: one that replies acknowledges it. */
  receive(frame: Frame): void {
    this.#emitter.inTransaction(() => this.#channel.receive(frame));
  }

  /** This side is connected, and the peer is known to be here or away. */
  connected(presence: PeerPresence): void {
    this.#channel.up();
    this.#setPresence(presence);
  }

  /** `conversation:throttled`. */
  throttled(forMs: number): void {
    this.#channel.pause(forMs);
  }

  disconnected(): void {
    this.#channel.down();
  }

  /** `conversation:peer`: the peer lost the connection, or resumed. */
  peerIs(presence: PeerPresence): void {
    if (presence === 'here') this.#channel.up();
    this.#setPresence(presence);
  }

  /** Stops the conversation here, since it continues elsewhere: no timer stays, no event follows, nothing more is sent. */
  handOver(): void {
    this.#isOver = true;
    this.#channel.abandon();
    this.#peerTyping.close();
  }

  /** No timer stays, no event follows. Returns what the peer never acknowledged, now marked so. */
  end(): OwnMessage[] {
    this.#isOver = true;
    this.#channel.close();
    this.#peerTyping.close();
    return this.#transcript.mark(
      this.#channel.unacknowledged.map((entry) => entry.key),
      'undelivered',
    );
  }

  #receive(unread: UnknownBody): void {
    if (this.#isOver) return;
    const reading = parseBody(unread);
    if (reading.kind === 'junk') this.droppedBodies += 1;
    if (reading.kind !== 'known') return;
    const { body } = reading;
    switch (body.kind) {
      case 'text':
        this.#heard(body.text);
        return;
      case 'typing':
        this.#peerTyping.set(body.on);
        return;
      case 'ack':
        // The envelope said it all.
        return;
      default:
        assertNever(body);
    }
  }

  #heard(text: string): void {
    this.#peerTyping.set(false);
    const message = this.#transcript.addPeer(text, unixNow());
    this.#changed();
    this.#emitter.emit('message', message);
  }

  #acknowledged(ids: readonly string[]): void {
    if (this.#isOver) return;
    const delivered = this.#transcript.mark(ids, 'delivered');
    this.#changed();
    for (const message of delivered) this.#emitter.emit('delivered', message);
  }

  #setPresence(presence: PeerPresence): void {
    if (presence === this.#peer.presence) return;
    if (presence === 'away') this.#peerTyping.set(false);
    if (this.#isOver) return;
    this.#setPeer({ ...this.#peer, presence });
    this.#emitter.emit('presence', { presence });
  }

  #setPeer(peer: Peer): void {
    this.#peer = peer;
    this.#changed();
  }
}
