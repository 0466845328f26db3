import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { MemberId, Message } from '../raft/types.ts';
import type { Channel, Hello, Refused, WireRequest } from './codec.ts';
import { HalfOpenSockets } from './half-open.ts';
import { type Identity, objectionTo, refused } from './handshake.ts';
import { InboundConnection } from './inbound.ts';
import { type Listener, type ListenerDescriptions, listen } from './listener.ts';
import type { SeldomLog } from './seldom-log.ts';
import type { Refusal, TransportLog, TransportMetrics } from './transport.ts';

export interface AcceptorOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly metrics: TransportMetrics;
  readonly log: TransportLog;
  readonly seldomLog: SeldomLog;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  /** A connection that is silent for longer is dead. */
  readonly silenceMsMax: number;
  /** The answer to the hello of that member. */
  readonly helloTo: (member: MemberId, channel: Channel) => Hello;
  readonly describe: ListenerDescriptions;
}

export interface AcceptorEvents {
  onUp(member: MemberId): void;
  /** A member of this cluster that is not known here introduces itself. True: it is known from now on. */
  onStranger(hello: Hello): boolean;
  onRefused(refusal: Refusal): void;
  onMessages(groupId: number, messages: readonly Message[]): void;
  onRequest(from: MemberId, request: WireRequest): Promise<Uint8Array> | undefined;
}

/**
 * Takes in what peers dial, and keeps one connection of each for each channel: a newer one of the same process takes the
 * place of the older, which the other side has given up.
 */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #events: AcceptorEvents;
  readonly #halfOpen: HalfOpenSockets;
  readonly #listeners: Listener[] = [];
  /** By member and channel. */
  readonly #connections = new Map<string, InboundConnection>();
  /** The last sign of life on connections that are gone. */
  readonly #aliveMs = new Map<MemberId, number>();

  constructor(options: AcceptorOptions, events: AcceptorEvents) {
    this.#options = options;
    this.#events = events;
    this.#halfOpen = new HalfOpenSockets(options.clock);
  }

  /** Rejects, with whatever it had opened still to be closed, if it cannot listen on one of the URLs. */
  async listen(urls: readonly string[]): Promise<void> {
    for (const url of urls) {
      const listener = await listen(url, {
        onSocket: (socket) => this.#halfOpen.add(socket),
        onStream: (socket, head, remoteAddress) => this.#accept(socket, head, remoteAddress),
        ...this.#options.describe,
      });
      this.#listeners.push(listener);
    }
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  /** When that member last showed a sign of life on a connection it dialed; -Infinity if it never did. */
  aliveMs(member: MemberId): number {
    return this.#connections.get(keyOf(member, 'main'))?.aliveMs ?? this.#aliveMs.get(member) ?? -Infinity;
  }

  /** Ends the connections of those who would be refused now, and tells them why. */
  dropStrangers(): void {
    for (const connection of this.#connections.values()) {
      const objection = connection.hello && objectionTo(connection.hello, this.#options.identity);
      if (objection !== undefined) connection.refuse(objection);
    }
    for (const member of this.#aliveMs.keys()) {
      if (!this.#options.identity.peerIds.has(member)) this.#aliveMs.delete(member);
    }
  }

  /** Ends what has taken too long to say hello, and gives up requests whose time is over. */
  sweep(): void {
    this.#halfOpen.sweep();
    for (const connection of this.#connections.values()) connection.sweep();
  }

  forgiveSilence(): void {
    for (const connection of this.#connections.values()) connection.forgiveSilence();
  }

  hasSilent(): boolean {
    for (const connection of this.#connections.values()) if (this.#isSilent(connection)) return true;
    return false;
  }

  /** To be called when everything that has arrived was read. */
  closeSilent(): void {
    for (const connection of this.#connections.values()) {
      if (this.#isSilent(connection)) connection.close(`nothing came for ${Math.round(connection.silentMs())} ms`);
    }
  }

  async close(reason: string): Promise<void> {
    const closing = this.#listeners.map((listener) => listener.close());
    for (const connection of this.#connections.values()) connection.close(reason);
    this.#halfOpen.closeAll();
    await Promise.all(closing);
  }

  #accept(socket: Duplex, head: Buffer, remoteAddress: string): void {
    const { metrics } = this.#options;
    const connection: InboundConnection = new InboundConnection(socket, this.#options, {
      onHello: (hello) => {
        const reply = this.#replyTo(hello, remoteAddress);
        if (reply.type === 'hello') this.#register(connection, socket, hello, remoteAddress);
        return reply;
      },
      onMessages: this.#events.onMessages,
      onRequest: this.#events.onRequest,
      onTraffic: (peer, receivedBytes, sentBytes) => {
        if (receivedBytes > 0) metrics.received(peer, receivedBytes);
        if (sentBytes > 0) metrics.sent(peer, sentBytes);
      },
      onRefused: ({ code, reason }) => {
        const by = connection.hello?.from;
        if (by !== undefined) this.#events.onRefused({ by, code, reason });
      },
      onClose: (reason, failed) => this.#onClose(connection, remoteAddress, reason, failed),
    });
    connection.start(head);
  }

  #replyTo(hello: Hello, remoteAddress: string): Hello | Refused {
    const objection = this.#objectionToSender(hello) ?? this.#objectionToSecond(hello);
    if (objection === undefined) return this.#options.helloTo(hello.from, hello.channel);
    const { code, reason } = objection;
    // Whoever makes up member ids must not fill the log with them.
    const subject = this.#options.identity.peerIds.has(hello.from) ? hello.from : hostOf(remoteAddress);
    this.#options.seldomLog.warn(subject, code, 'peer turned away', {
      peer: hello.from,
      remoteAddress,
      code,
      reason,
    });
    return objection;
  }

  #objectionToSender(hello: Hello): Refused | undefined {
    const { identity } = this.#options;
    const objection = objectionTo(hello, identity);
    if (objection?.code !== 'unknown_member' || !this.#events.onStranger(hello)) return objection;
    return objectionTo(hello, identity);
  }

  /**
   * A process that was restarted says hello when its old connection is gone, or at least silent. If the old one is
   * alive, two processes have the same identity, and the one that came first stays.
   */
  #objectionToSecond(hello: Hello): Refused | undefined {
    const others = [this.#present(hello.from, 'main'), this.#present(hello.from, 'bulk')];
    if (others.some((other) => other !== undefined && other.bootId !== hello.bootId)) {
      return refused(
        'duplicate_member',
        `member ${hello.from} is connected from another process already: two members run under one name or with copies ` +
          'of one data directory, or the old process has not ended',
      );
    }
    const present = this.#present(hello.from, hello.channel);
    if (present === undefined || present.epoch < hello.epoch) return undefined;
    return refused('superseded', `member ${hello.from} has a newer connection than this one`);
  }

  /** What was said on the connection of that channel, if it is alive. */
  #present(member: MemberId, channel: Channel): Hello | undefined {
    const connection = this.#connections.get(keyOf(member, channel));
    return connection === undefined || this.#isSilent(connection) ? undefined : connection.hello;
  }

  #register(connection: InboundConnection, socket: Duplex, hello: Hello, remoteAddress: string): void {
    this.#halfOpen.remove(socket);
    const key = keyOf(hello.from, hello.channel);
    this.#connections.get(key)?.close('the peer has opened a newer connection');
    this.#connections.set(key, connection);
    this.#options.seldomLog.forget(hello.from);
    const { software, channel } = hello;
    this.#options.log.info('peer accepted', { peer: hello.from, remoteAddress, software, channel });
    if (channel !== 'main') return;
    // When the answer to the hello is on its way.
    process.nextTick(() => this.#events.onUp(hello.from));
  }

  #onClose(connection: InboundConnection, remoteAddress: string, reason: string, failed: boolean): void {
    const { from: member, channel = 'main' } = connection.hello ?? {};
    if (member !== undefined) {
      const { peerIds } = this.#options.identity;
      if (peerIds.has(member)) {
        this.#aliveMs.set(member, Math.max(this.#aliveMs.get(member) ?? -Infinity, connection.aliveMs));
      }
      const key = keyOf(member, channel);
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
      const facts = { peer: member, remoteAddress, channel, reason };
      if (failed) {
        this.#options.metrics.receiveFailed(member);
        this.#options.log.warn('peer failed', facts);
      } else this.#options.log.info('peer left', facts);
    } else if (failed) {
      this.#options.seldomLog.warn(hostOf(remoteAddress), 'not_a_peer', 'peer turned away', { remoteAddress, reason });
    }
  }

  #isSilent(connection: InboundConnection): boolean {
    return connection.silentMs() > this.#options.silenceMsMax;
  }
}

function keyOf(member: MemberId, channel: Channel): string {
  return `${member} ${channel}`;
}

function hostOf(remoteAddress: string): string {
  return remoteAddress.replace(/:\d+$/, '');
}
