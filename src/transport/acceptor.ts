import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { MemberId, Message } from '../raft/types.ts';
import { type Hello, protocolVersions, type Refused, type WireRequest } from './codec.ts';
import { HalfOpenSockets } from './half-open.ts';
import { type Identity, objectionTo, refused } from './handshake.ts';
import { InboundConnection } from './inbound.ts';
import { type Listener, listen } from './listener.ts';
import type { SeldomLog } from './seldom-log.ts';
import type { TransportLog } from './transport.ts';

export interface AcceptorOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly log: TransportLog;
  readonly seldomLog: SeldomLog;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  /** A connection that is silent for longer is dead. */
  readonly silenceMsMax: number;
  /** The answer to the hello of that member. */
  readonly helloTo: (member: MemberId) => Hello;
}

export interface AcceptorEvents {
  onUp(member: MemberId): void;
  onMessages(groupId: number, messages: readonly Message[]): void;
  onRequest(from: MemberId, request: WireRequest): Promise<Uint8Array> | undefined;
}

/**
 * Takes in what peers dial, and keeps one connection of each: a newer one of the same process takes the place of the
 * older, which the other side has given up.
 */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #events: AcceptorEvents;
  readonly #halfOpen: HalfOpenSockets;
  readonly #listeners: Listener[] = [];
  readonly #connections = new Map<MemberId, InboundConnection>();
  /** The last sign of life on connections that are gone. */
  readonly #aliveMs = new Map<MemberId, number>();

  constructor(options: AcceptorOptions, events: AcceptorEvents) {
    this.#options = options;
    this.#events = events;
    this.#halfOpen = new HalfOpenSockets(options.clock);
  }

  /** Rejects, with whatever it had opened still to be closed, if it cannot listen on one of the URLs. */
  async listen(urls: readonly string[]): Promise<void> {
    const { clusterId, memberId } = this.#options.identity;
    for (const url of urls) {
      const listener = await listen(url, {
        onSocket: (socket) => this.#halfOpen.add(socket),
        onStream: (socket, head, remoteAddress) => this.#accept(socket, head, remoteAddress),
        describe: () => ({ clusterId, memberId, protocolVersions }),
      });
      this.#listeners.push(listener);
    }
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  /** When that member last showed a sign of life on a connection it dialed; -Infinity if it never did. */
  aliveMs(member: MemberId): number {
    return this.#connections.get(member)?.aliveMs ?? this.#aliveMs.get(member) ?? -Infinity;
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
    const connection: InboundConnection = new InboundConnection(socket, this.#options, {
      onHello: (hello) => {
        const reply = this.#replyTo(hello, remoteAddress);
        if (reply.type === 'hello') this.#register(connection, socket, hello, remoteAddress);
        return reply;
      },
      onMessages: this.#events.onMessages,
      onRequest: this.#events.onRequest,
      onClose: (reason, failed) => this.#onClose(connection, remoteAddress, reason, failed),
    });
    connection.start(head);
  }

  #replyTo(hello: Hello, remoteAddress: string): Hello | Refused {
    const objection = objectionTo(hello, this.#options.identity) ?? this.#objectionToSecond(hello);
    if (objection === undefined) return this.#options.helloTo(hello.from);
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

  /**
   * A process that was restarted says hello when its old connection is gone, or at least silent. If the old one is
   * alive, two processes have the same identity, and the one that came first stays.
   */
  #objectionToSecond(hello: Hello): Refused | undefined {
    const present = this.#connections.get(hello.from);
    if (present?.hello === undefined || this.#isSilent(present)) return undefined;
    if (present.hello.bootId !== hello.bootId) {
      return refused(
        'duplicate_member',
        `member ${hello.from} is connected from another process already: two members run under one name or with copies ` +
          'of one data directory, or the old process has not ended',
      );
    }
    if (present.hello.epoch < hello.epoch) return undefined;
    return refused('superseded', `member ${hello.from} has a newer connection than this one`);
  }

  #register(connection: InboundConnection, socket: Duplex, hello: Hello, remoteAddress: string): void {
    this.#halfOpen.remove(socket);
    this.#connections.get(hello.from)?.close('the peer has opened a newer connection');
    this.#connections.set(hello.from, connection);
    this.#options.seldomLog.forget(hello.from);
    this.#options.log.info('peer accepted', { peer: hello.from, remoteAddress });
    // When the answer to the hello is on its way.
    process.nextTick(() => this.#events.onUp(hello.from));
  }

  #onClose(connection: InboundConnection, remoteAddress: string, reason: string, failed: boolean): void {
    const member = connection.hello?.from;
    if (member !== undefined) {
      this.#aliveMs.set(member, Math.max(this.#aliveMs.get(member) ?? -Infinity, connection.aliveMs));
      if (this.#connections.get(member) === connection) this.#connections.delete(member);
      const facts = { peer: member, remoteAddress, reason };
      if (failed) this.#options.log.warn('peer failed', facts);
      else this.#options.log.info('peer left', facts);
    } else if (failed) {
      this.#options.seldomLog.warn(hostOf(remoteAddress), 'not_a_peer', 'peer turned away', { remoteAddress, reason });
    }
  }

  #isSilent(connection: InboundConnection): boolean {
    return connection.silentMs() > this.#options.silenceMsMax;
  }
}

function hostOf(remoteAddress: string): string {
  return remoteAddress.replace(/:\d+$/, '');
}
