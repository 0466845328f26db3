import { assert } from '../base/assert.ts';
import type { CancelTimer } from '../base/clock.ts';
import type { MemberId, Message } from '../raft/types.ts';
import { Acceptor } from './acceptor.ts';
import { type Channel, type Hello, protocolVersions, type WireRequest } from './codec.ts';
import { notDialable } from './dialer.ts';
import { isDialable, objectionTo, refused } from './handshake.ts';
import { KnownMembers } from './known-members.ts';
import type { OutboundConnection } from './outbound.ts';
import { PeerLink } from './peer-link.ts';
import { SeldomLog } from './seldom-log.ts';
import {
  noTransportMetrics,
  type Peer,
  type PeerAnswer,
  type PeerRequest,
  type PeerView,
  type Receiver,
  type Transport,
  type TransportOptions,
} from './transport.ts';

/**
 * A connection is dead after three heartbeats without a sign of life, and not before this time: dropping one makes
 * the outcome of every forwarded write on it unknown, a high price for a peer's collection of garbage. A half-open
 * connection is still found within a second.
 */
const silenceMsMin = 750;

const stopping = 'this member is stopping';

export interface PeerTransport extends Transport {
  /** The URLs it listens on, with the ports that were bound. */
  addresses(): readonly string[];
}

/** Listens for peers and begins to dial them. Rejects, with a sentence for the operator, if it cannot listen. */
export async function openTransport(options: TransportOptions): Promise<PeerTransport> {
  const transport = new StreamTransport(options);
  try {
    await transport.start();
  } catch (error) {
    await transport.close();
    throw error;
  }
  return transport;
}

/**
 * Each member dials every other and speaks on the connection it dialed; only answers and pongs come back on it. Two
 * members are thus joined by two connections, and neither has to decide whose survives.
 */
class StreamTransport implements PeerTransport {
  readonly #options: TransportOptions;
  readonly #known: KnownMembers;
  readonly #bootId: string;
  readonly #silenceMsMax: number;
  readonly #seldomLog: SeldomLog;
  readonly #links: Map<MemberId, PeerLink>;
  readonly #acceptor: Acceptor;
  readonly #receivers = new Map<number, Receiver>();
  /** Who is to be told at the end of the turn, about whom. */
  readonly #unreachable = new Map<Receiver, Set<MemberId>>();
  #epoch = 0;
  #lastTickMs = 0;
  #cancelTick: CancelTimer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: TransportOptions) {
    const { peers, random, clock, log } = options;
    this.#options = options;
    this.#known = new KnownMembers(options);
    this.#bootId = Array.from({ length: 4 }, () => random.below(2 ** 32).toString(36)).join('-');
    this.#silenceMsMax = Math.max(3 * options.heartbeatMs, silenceMsMin);
    this.#seldomLog = new SeldomLog(log, clock);
    this.#links = new Map(peers.map((peer) => [peer.id, this.#linkTo(peer)]));
    this.#acceptor = this.#newAcceptor();
  }

  async start(): Promise<void> {
    for (const { id, urls } of this.#options.peers) {
      if (urls.length === 0 || !urls.every(isDialable)) throw new Error(notDialable(id, urls));
    }
    await this.#acceptor.listen(this.#options.listenUrls);
    this.#scheduleTick();
    for (const link of this.#links.values()) link.start();
  }

  addresses(): readonly string[] {
    return this.#acceptor.urls;
  }

  send(groupId: number, messages: readonly Message[]): void {
    for (const message of messages) {
      assert(message.from === this.#known.memberId, () => `a message of ${message.from} is sent by another member`);
      const isQueued = this.#links.get(message.to)?.send(groupId, message) ?? false;
      const receiver = this.#receivers.get(groupId);
      if (!isQueued && receiver !== undefined) this.#tellUnreachable(receiver, message.to);
    }
    // Not at the end of the turn: the followers' disks can work while this member answers its clients.
    for (const link of this.#links.values()) link.flush();
  }

  request(to: MemberId, request: PeerRequest): Promise<PeerAnswer> {
    const link = this.#links.get(to);
    if (link !== undefined && this.#closing === undefined) return link.request(request);
    const reason = link === undefined ? `member ${to} is not a peer of this member` : stopping;
    return Promise.resolve({ outcome: 'not_sent', reason });
  }

  setPeers(peers: readonly Peer[], removed: ReadonlySet<MemberId>): void {
    if (this.#closing !== undefined) return;
    this.#known.setMembers(peers, removed);
    for (const link of this.#links.values()) {
      if (this.#known.peerIds.has(link.id)) continue;
      this.#links.delete(link.id);
      this.#seldomLog.forget(link.id);
      this.#options.log.info('peer dropped', { peer: link.id, removed: removed.has(link.id) });
      link.close(`member ${link.id} is no peer of this member any more`);
    }
    for (const peer of peers) {
      const link = this.#links.get(peer.id);
      if (link === undefined) this.#addLink(peer);
      else link.setUrls(peer.urls);
    }
    this.#acceptor.dropStrangers();
  }

  serve(groupId: number, receiver: Receiver): void {
    this.#receivers.set(groupId, receiver);
  }

  peers(): readonly PeerView[] {
    return [...this.#links.values()].map((link) => link.view(this.#acceptor.aliveMs(link.id)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelTick?.();
    for (const link of this.#links.values()) link.close(stopping);
    await this.#acceptor.close(stopping);
  }

  #admit(hello: Hello): boolean {
    if (this.#closing !== undefined) return false;
    const stranger = this.#known.admit(hello, this.#options.clock.monotonicMs());
    if (stranger === undefined) return false;
    this.#options.log.info('peer introduced itself', { peer: stranger.id, urls: stranger.urls });
    this.#addLink(stranger);
    return true;
  }

  #forgetStrangers(): void {
    const now = this.#options.clock.monotonicMs();
    for (const id of this.#known.forgetSilent(now, (member) => this.#acceptor.aliveMs(member))) {
      this.#links.get(id)?.close('it is no member that this one knows, and has fallen silent');
      this.#links.delete(id);
    }
  }

  #addLink(peer: Peer): void {
    const link = this.#linkTo(peer);
    this.#links.set(peer.id, link);
    this.#options.log.info('peer added', { peer: peer.id, urls: peer.urls });
    link.start();
  }

  #linkTo(peer: Peer): PeerLink {
    const { clock, random, log, frameBytesMax, queueBytesMax, metrics = noTransportMetrics } = this.#options;
    return new PeerLink(
      {
        peer,
        clock,
        random,
        metrics,
        log,
        seldomLog: this.#seldomLog,
        frameBytesMax,
        queueBytesMax,
        hello: (channel) => this.#helloTo(peer.id, channel),
        objectionTo: (hello) => objectionTo(hello, this.#known) ?? objectionToStranger(hello, peer.id),
      },
      {
        onUp: () => this.#tellReachable(peer.id),
        onDown: () => {
          for (const receiver of this.#receivers.values()) this.#tellUnreachable(receiver, peer.id);
        },
        onRefused: ({ code, reason }) => this.#options.onRefused?.({ by: peer.id, code, reason }),
      },
    );
  }

  #newAcceptor(): Acceptor {
    const { clock, log, frameBytesMax, queueBytesMax, metrics = noTransportMetrics } = this.#options;
    return new Acceptor(
      {
        identity: this.#known,
        clock,
        metrics,
        log,
        seldomLog: this.#seldomLog,
        frameBytesMax,
        queueBytesMax,
        silenceMsMax: this.#silenceMsMax,
        helloTo: (member, channel) => this.#helloTo(member, channel),
        describe: { describe: () => this.#describe(), describeCluster: () => this.#describeCluster() },
      },
      {
        onStranger: (hello) => this.#admit(hello),
        onUp: (member) => {
          this.#links.get(member)?.dialSoon();
          this.#tellReachable(member);
        },
        onRefused: (refusal) => this.#options.onRefused?.(refusal),
        onMessages: (groupId, messages) => this.#receivers.get(groupId)?.onMessages(messages),
        onRequest: (from, request) => this.#handle(from, request),
      },
    );
  }

  #describe() {
    const { clusterId, memberId, clusterVersion } = this.#known;
    return { clusterId, memberId, software: this.#options.softwareVersion, clusterVersion, protocolVersions };
  }

  #describeCluster() {
    const description = this.#options.describeCluster?.();
    return description && { ...description, software: this.#options.softwareVersion, protocolVersions };
  }

  #helloTo(member: MemberId, channel: Channel): Hello {
    const { clusterId, memberId } = this.#known;
    this.#epoch++;
    const peerUrls = this.#options.advertisedUrls?.();
    return {
      type: 'hello',
      versionMin: protocolVersions.min,
      versionMax: protocolVersions.max,
      clusterId,
      from: memberId,
      to: member,
      bootId: this.#bootId,
      epoch: this.#epoch,
      software: this.#options.softwareVersion,
      channel,
      ...(peerUrls !== undefined && { peerUrls }),
    };
  }

  #handle(from: MemberId, { groupId, kind, body, timeoutMs }: WireRequest): Promise<Uint8Array> | undefined {
    const receiver = this.#receivers.get(groupId);
    if (receiver === undefined) return undefined;
    // Asynchronous, so that a handler that throws at once is one that rejects.
    return (async () => await receiver.onRequest(from, { groupId, kind, body, timeoutMs }))();
  }

  #tellReachable(member: MemberId): void {
    for (const receiver of this.#receivers.values()) receiver.onReachable(member);
  }

  /** Once a turn, however much was dropped; never from within `send`, whose caller may be in the middle of things. */
  #tellUnreachable(receiver: Receiver, member: MemberId): void {
    if (this.#unreachable.size === 0) this.#options.clock.endOfTurn(() => this.#flushUnreachable());
    const members = this.#unreachable.get(receiver) ?? new Set();
    this.#unreachable.set(receiver, members.add(member));
  }

  #flushUnreachable(): void {
    const told = [...this.#unreachable];
    this.#unreachable.clear();
    if (this.#closing !== undefined) return;
    for (const [receiver, members] of told) for (const member of members) receiver.onUnreachable(member);
  }

  #scheduleTick(): void {
    const { clock, heartbeatMs } = this.#options;
    this.#lastTickMs = clock.monotonicMs();
    this.#cancelTick = clock.setTimer(heartbeatMs, () => this.#tick());
  }

  #tick(): void {
    const { clock, heartbeatMs } = this.#options;
    const elapsedMs = clock.monotonicMs() - this.#lastTickMs;
    this.#scheduleTick();
    // This process stood still, and its peers perhaps with it, as when a machine is suspended.
    if (elapsedMs > 2 * heartbeatMs) this.#forgiveSilence();
    this.#acceptor.sweep();
    this.#forgetStrangers();
    for (const link of this.#links.values()) link.tick();
    // After a shorter stop signs of life may wait in the kernel: they are read before anyone is judged.
    if (this.#hasSilent()) clock.afterInput(() => this.#closeSilent());
  }

  #forgiveSilence(): void {
    for (const connection of this.#outbound()) connection.forgiveSilence();
    this.#acceptor.forgiveSilence();
  }

  #hasSilent(): boolean {
    return this.#outbound().some((connection) => this.#isOverdue(connection)) || this.#acceptor.hasSilent();
  }

  #closeSilent(): void {
    for (const connection of this.#outbound()) {
      if (this.#isOverdue(connection)) connection.close(`no answer for ${Math.round(connection.overdueMs())} ms`);
    }
    this.#acceptor.closeSilent();
  }

  #outbound(): readonly OutboundConnection[] {
    return [...this.#links.values()].flatMap((link) => link.connections);
  }

  #isOverdue(connection: OutboundConnection): boolean {
    return connection.overdueMs() > this.#silenceMsMax;
  }
}

/** The member at the other end is one of the cluster, but not the one that was dialed. */
function objectionToStranger(hello: Hello, dialed: MemberId) {
  if (hello.from === dialed) return undefined;
  return refused('wrong_member', `member ${dialed} was dialed and member ${hello.from} answered: check the peer URLs`);
}
