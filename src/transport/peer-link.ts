import type { Socket } from 'node:net';
import type { CancelTimer, Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { MemberId, Message } from '../raft/types.ts';
import type { Hello, Refused } from './codec.ts';
import { dial } from './dialer.ts';
import { OutboundConnection } from './outbound.ts';
import type { SeldomLog } from './seldom-log.ts';
import type { Admission } from './send-queue.ts';
import type { Peer, PeerAnswer, PeerRequest, PeerView, TransportLog } from './transport.ts';

/** From the first packet to the other side's hello: three round trips around the globe fit. */
const connectTimeoutMs = 2000;

/** Attempts after a failure: soon at first, since most are a restart. */
const retryMs = { first: 50, max: 1000 } as const;

/** After a refusal a configuration has to change first, or an old connection has to be noticed dead. */
const retryRefusedMs = { first: 500, max: 5000 } as const;

/** A connection that lasted that long was a good one: the next attempt is a first one again. */
const healthyMs = 1000;

export interface PeerLinkOptions {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: TransportLog;
  readonly seldomLog: SeldomLog;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  /** A hello for the next connection. */
  readonly hello: () => Hello;
  readonly objectionTo: (hello: Hello) => Refused | undefined;
}

export interface PeerLinkEvents {
  onUp(): void;
  onDown(): void;
}

type State =
  | { readonly t: 'waiting'; readonly cancel: CancelTimer }
  | { readonly t: 'dialing'; readonly giveUp: () => void; readonly cancelTimeout: CancelTimer }
  | { readonly t: 'greeting'; readonly connection: OutboundConnection; readonly cancelTimeout: CancelTimer }
  | { readonly t: 'open'; readonly connection: OutboundConnection; readonly sinceMs: number }
  | { readonly t: 'closed' };

/**
 * Our side of the way to one peer: dials it, again and again, and sends over the connection when there is one.
 *
 *     waiting ─▶ dialing ─▶ greeting ─▶ open
 *        ▲          │           │         │
 *        └──────────┴───────────┴─────────┘  failed, refused or broken; the next URL in turn
 */
export class PeerLink {
  readonly id: MemberId;
  readonly #options: PeerLinkOptions;
  readonly #events: PeerLinkEvents;
  #state: State = { t: 'closed' };
  #urlIndex = 0;
  /** Attempts since the last connection that lasted. */
  #failures = 0;
  /** Why there is no connection. */
  #reason: { readonly refused: boolean; readonly words: string } | undefined;
  /** When the last connection showed its last sign of life. */
  #aliveMs = -Infinity;

  constructor(options: PeerLinkOptions, events: PeerLinkEvents) {
    this.id = options.peer.id;
    this.#options = options;
    this.#events = events;
  }

  start(): void {
    this.#dial();
  }

  /** The peer is up, since it has just dialed this member: there is nothing to wait for. */
  dialSoon(): void {
    if (this.#state.t !== 'waiting') return;
    this.#state.cancel();
    this.#dial();
  }

  /** The connection, if both sides have said hello. */
  get connection(): OutboundConnection | undefined {
    return this.#state.t === 'open' ? this.#state.connection : undefined;
  }

  /** False if the message was dropped. It leaves with the next `flush`. */
  send(groupId: number, message: Message): boolean {
    const admission: Admission = this.connection?.send(groupId, message) ?? 'full';
    if (admission === 'too_large') {
      const { type, term } = message;
      this.#options.seldomLog.warn(this.id, 'too_large', 'peer message too large', { peer: this.id, type, term });
    }
    return admission === 'queued';
  }

  flush(): void {
    this.connection?.flush();
  }

  request(request: PeerRequest): Promise<PeerAnswer> {
    const reason = `no connection to member ${this.id}: ${this.#reason?.words ?? 'still connecting'}`;
    return this.connection?.request(request) ?? Promise.resolve({ outcome: 'not_sent', reason });
  }

  /** `inboundAliveMs`: the last sign of life on the connection that the peer dialed. */
  view(inboundAliveMs: number): PeerView {
    const connection = this.connection;
    const notConnected = this.#reason?.refused === true ? 'refused' : 'connecting';
    const aliveMs = Math.max(this.#aliveMs, connection?.aliveMs ?? -Infinity, inboundAliveMs);
    return {
      id: this.id,
      address: this.#url(),
      state: connection === undefined ? notConnected : 'connected',
      reason: connection === undefined ? this.#reason?.words : undefined,
      lastContactMs: this.#options.clock.monotonicMs() - aliveMs,
      roundTripMs: connection?.roundTripMs,
      queuedBytes: connection?.queuedBytes ?? 0,
    };
  }

  close(reason: string): void {
    const state = this.#state;
    this.#state = { t: 'closed' };
    if (state.t === 'waiting') state.cancel();
    if (state.t === 'dialing') state.giveUp();
    if (state.t === 'dialing' || state.t === 'greeting') state.cancelTimeout();
    if (state.t === 'greeting' || state.t === 'open') state.connection.close(reason);
  }

  #url(): string {
    const { urls } = this.#options.peer;
    return urls[this.#urlIndex % urls.length] ?? '';
  }

  #dial(): void {
    const url = this.#url();
    const giveUp = dial(url, {
      onStream: (socket, head) => this.#greet(socket, head),
      onFailure: (kind, reason) => this.#onNoConnection(kind === 'refused', reason),
    });
    const cancelTimeout = this.#options.clock.setTimer(connectTimeoutMs, () => {
      giveUp();
      this.#onNoConnection(false, `${url} did not answer within ${connectTimeoutMs} ms`);
    });
    this.#state = { t: 'dialing', giveUp, cancelTimeout };
  }

  #greet(socket: Socket, head: Buffer): void {
    if (this.#state.t === 'dialing') this.#state.cancelTimeout();
    const { clock, frameBytesMax, queueBytesMax, objectionTo } = this.#options;
    const options = { clock, frameBytesMax, queueBytesMax, hello: this.#options.hello(), objectionTo };
    let refused = false;
    const connection = new OutboundConnection(socket, options, {
      onOpen: () => this.#onOpen(connection),
      onRefused: () => {
        refused = true;
      },
      onClose: (reason) => this.#onClose(connection, refused, reason),
    });
    const cancelTimeout = clock.setTimer(connectTimeoutMs, () => {
      connection.close(`no hello came within ${connectTimeoutMs} ms`);
    });
    this.#state = { t: 'greeting', connection, cancelTimeout };
    connection.start(head);
  }

  #onOpen(connection: OutboundConnection): void {
    if (this.#state.t === 'greeting') this.#state.cancelTimeout();
    this.#state = { t: 'open', connection, sinceMs: this.#options.clock.monotonicMs() };
    this.#reason = undefined;
    this.#options.seldomLog.forget(this.id);
    this.#options.log.info('peer connected', { peer: this.id, url: this.#url() });
    this.#events.onUp();
  }

  #onClose(connection: OutboundConnection, refused: boolean, reason: string): void {
    const state = this.#state;
    if (state.t === 'closed') return;
    this.#aliveMs = Math.max(this.#aliveMs, connection.aliveMs);
    if (state.t === 'greeting') state.cancelTimeout();
    if (state.t !== 'open') {
      this.#onNoConnection(refused, reason);
      return;
    }
    if (this.#options.clock.monotonicMs() - state.sinceMs >= healthyMs) this.#failures = 0;
    this.#options.log.warn('peer disconnected', { peer: this.id, url: this.#url(), reason });
    this.#reason = { refused: false, words: reason };
    this.#retry(retryMs);
    this.#events.onDown();
  }

  #onNoConnection(refused: boolean, reason: string): void {
    if (this.#state.t === 'closed') return;
    if (this.#state.t === 'dialing') this.#state.cancelTimeout();
    const url = this.#url();
    const event = refused ? 'peer refused' : 'peer unreachable';
    this.#options.seldomLog.warn(this.id, `${url} ${reason}`, event, { peer: this.id, url, reason });
    this.#reason = { refused, words: reason };
    this.#urlIndex++;
    this.#retry(refused ? retryRefusedMs : retryMs);
  }

  /** Exponential, with the upper half left to chance, so that members that lost a peer together do not return in step. */
  #retry(interval: { readonly first: number; readonly max: number }): void {
    const { clock, random } = this.#options;
    const ceilingMs = Math.min(interval.max, interval.first * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    const delayMs = ceilingMs / 2 + random.below(Math.ceil(ceilingMs / 2));
    this.#state = { t: 'waiting', cancel: clock.setTimer(delayMs, () => this.#dial()) };
  }
}
