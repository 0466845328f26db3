import type { CancelTimer, Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { MemberId, Message } from '../raft/types.ts';
import { BulkLink } from './bulk-link.ts';
import { bulkSince, type Channel, type Hello, type Refused, versionOf } from './codec.ts';
import { type ConnectEvents, type ConnectionEnd, type ConnectOptions, connectPeer } from './connect-peer.ts';
import { notDialable } from './dialer.ts';
import { isDialable } from './handshake.ts';
import type { OutboundConnection } from './outbound.ts';
import type { SeldomLog } from './seldom-log.ts';
import type { Admission } from './send-queue.ts';
import type { Peer, PeerAnswer, PeerRequest, PeerView, TransportLog, TransportMetrics } from './transport.ts';

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
  readonly metrics: TransportMetrics;
  readonly log: TransportLog;
  readonly seldomLog: SeldomLog;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  /** A hello for the next connection of that channel. */
  readonly hello: (channel: Channel) => Hello;
  readonly objectionTo: (hello: Hello) => Refused | undefined;
}

export interface PeerLinkEvents {
  onUp(): void;
  onDown(): void;
  /** The peer does not want this member. */
  onRefused(refused: Refused): void;
}

type State =
  | { readonly t: 'waiting'; readonly cancel: CancelTimer }
  | { readonly t: 'connecting'; readonly close: (reason: string) => void }
  | {
      readonly t: 'open';
      readonly connection: OutboundConnection;
      readonly url: string;
      readonly sinceMs: number;
      readonly close: (reason: string) => void;
    }
  | { readonly t: 'closed' };

/**
 * Our side of the way to one peer: dials it, again and again, and sends over the connection when there is one.
 *
 *     waiting ─▶ connecting ─▶ open
 *        ▲            │         │
 *        └────────────┴─────────┘  failed, refused or broken; the next URL in turn
 */
export class PeerLink {
  readonly id: MemberId;
  readonly #options: PeerLinkOptions;
  readonly #events: PeerLinkEvents;
  readonly #bulk: BulkLink;
  #urls: readonly string[];
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
    this.#urls = options.peer.urls;
    this.#bulk = new BulkLink(this.id, options.clock, ({ onOpen, onEnd }) =>
      connectPeer(this.#attempt(this.#connectedUrl(), 'bulk'), {
        onOpen,
        onFailure: ({ reason }) => onEnd(reason),
        onClose: ({ reason }) => onEnd(reason),
        onRefused: (refused) => this.#events.onRefused(refused),
        ...this.#measured(),
      }),
    );
  }

  start(): void {
    this.#dial();
  }

  /** Where the peer is reached from here on. A connection that is open is one to the peer, wherever it leads. */
  setUrls(urls: readonly string[]): void {
    if (urls.length === this.#urls.length && urls.every((url, i) => url === this.#urls[i])) return;
    this.#urls = urls;
    this.#urlIndex = 0;
    this.#options.log.info('peer moved', { peer: this.id, urls });
    this.dialSoon();
  }

  /** There is nothing to wait for: the peer is up, since it has just dialed this member, or it is somewhere else. */
  dialSoon(): void {
    if (this.#state.t !== 'waiting') return;
    this.#state.cancel();
    this.#dial();
  }

  /** The connection, if both sides have said hello. */
  get connection(): OutboundConnection | undefined {
    return this.#state.t === 'open' ? this.#state.connection : undefined;
  }

  /** All connections that both sides have said hello on. */
  get connections(): readonly OutboundConnection[] {
    return [this.connection, this.#bulk.connection].filter((connection) => connection !== undefined);
  }

  /** False if the message was dropped. It leaves with the next `flush`. */
  send(groupId: number, message: Message): boolean {
    const { connection } = this;
    if (versionOf(message) > (connection?.peerHello?.versionMax ?? 1)) return false;
    const admission: Admission = connection?.send(groupId, message) ?? 'full';
    if (admission === 'too_large') {
      const { type, term } = message;
      this.#options.seldomLog.warn(this.id, 'too_large', 'peer message too large', { peer: this.id, type, term });
    }
    if (admission !== 'queued') this.#options.metrics.sendFailed(this.id);
    return admission === 'queued';
  }

  flush(): void {
    this.connection?.flush();
  }

  request(request: PeerRequest): Promise<PeerAnswer> {
    const { connection } = this;
    if (connection === undefined) {
      return notSent(`no connection to member ${this.id}: ${this.#reason?.words ?? 'still connecting'}`);
    }
    if (request.channel === undefined) return connection.request(request);
    if (connection.peerHello === undefined || connection.peerHello.versionMax < bulkSince) {
      return notSent(`member ${this.id} runs an older version, which has no second connection: upgrade it`);
    }
    return this.#bulk.request(request);
  }

  /** Once a heartbeat. */
  tick(): void {
    this.connection?.ping();
    this.#bulk.tick();
  }

  /** `inboundAliveMs`: the last sign of life on the connection that the peer dialed. */
  view(inboundAliveMs: number): PeerView {
    const connection = this.connection;
    const notConnected = this.#reason?.refused === true ? 'refused' : 'connecting';
    const aliveMs = Math.max(this.#aliveMs, connection?.aliveMs ?? -Infinity, inboundAliveMs);
    return {
      id: this.id,
      address: this.#connectedUrl(),
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
    if (state.t === 'connecting' || state.t === 'open') state.close(reason);
    this.#bulk.close(reason);
  }

  #nextUrl(): string {
    return this.#urls[this.#urlIndex % this.#urls.length] ?? '';
  }

  #connectedUrl(): string {
    return this.#state.t === 'open' ? this.#state.url : this.#nextUrl();
  }

  #attempt(url: string, channel: Channel): ConnectOptions {
    const { clock, frameBytesMax, queueBytesMax, objectionTo, hello } = this.#options;
    return { url, clock, frameBytesMax, queueBytesMax, objectionTo, hello: () => hello(channel) };
  }

  #measured(): Pick<ConnectEvents, 'onTraffic' | 'onRoundTrip'> {
    const { metrics } = this.#options;
    return {
      onTraffic: (receivedBytes, sentBytes) => {
        if (receivedBytes > 0) metrics.received(this.id, receivedBytes);
        if (sentBytes > 0) metrics.sent(this.id, sentBytes);
      },
      onRoundTrip: (durationMs) => metrics.roundTrip(this.id, durationMs),
    };
  }

  #dial(): void {
    const url = this.#nextUrl();
    // URLs come out of the log, too.
    if (!isDialable(url)) {
      this.#onFailure({ refused: true, reason: notDialable(this.id, this.#urls), aliveMs: -Infinity });
      return;
    }
    const close = connectPeer(this.#attempt(url, 'main'), {
      onOpen: (connection) => this.#onOpen(connection, url, close),
      onFailure: (failure) => this.#onFailure(failure),
      onClose: (end) => this.#onClose(end),
      onRefused: (refused) => this.#events.onRefused(refused),
      ...this.#measured(),
    });
    this.#state = { t: 'connecting', close };
  }

  #onOpen(connection: OutboundConnection, url: string, close: (reason: string) => void): void {
    this.#state = { t: 'open', connection, url, sinceMs: this.#options.clock.monotonicMs(), close };
    this.#reason = undefined;
    this.#options.seldomLog.forget(this.id);
    this.#options.log.info('peer connected', { peer: this.id, url });
    this.#events.onUp();
  }

  #onClose({ refused, reason, aliveMs }: ConnectionEnd): void {
    if (this.#state.t !== 'open') return;
    const { url, sinceMs } = this.#state;
    this.#aliveMs = Math.max(this.#aliveMs, aliveMs);
    if (this.#options.clock.monotonicMs() - sinceMs >= healthyMs) this.#failures = 0;
    this.#options.log.warn('peer disconnected', { peer: this.id, url, reason });
    this.#options.metrics.sendFailed(this.id);
    this.#reason = { refused, words: reason };
    this.#retry(refused ? retryRefusedMs : retryMs);
    this.#events.onDown();
  }

  #onFailure({ refused, reason, aliveMs }: ConnectionEnd): void {
    this.#aliveMs = Math.max(this.#aliveMs, aliveMs);
    const url = this.#nextUrl();
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

function notSent(reason: string): Promise<PeerAnswer> {
  return Promise.resolve({ outcome: 'not_sent', reason });
}
