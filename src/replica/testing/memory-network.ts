import type { MemberId, Message } from '../../raft/index.ts';
import type { Peer, PeerAnswer, PeerRequest, PeerView, Receiver, Transport } from '../../transport/index.ts';

/**
 * The members' network in memory. It may: cut a link in one direction, and lose what is sent over it. It never
 * reorders, repeats or changes what it delivers.
 */
export class MemoryNetwork {
  readonly #receivers = new Map<MemberId, Receiver>();
  readonly #cut = new Set<string>();
  /** Whom a member talks to; everybody, until it has been told. */
  readonly #peers = new Map<MemberId, ReadonlySet<MemberId>>();

  transportOf(member: MemberId): Transport {
    return new MemoryTransport(this, member);
  }

  attach(member: MemberId, receiver: Receiver): void {
    this.#receivers.set(member, receiver);
  }

  detach(member: MemberId): void {
    this.#receivers.delete(member);
    this.#peers.delete(member);
  }

  setPeers(member: MemberId, peers: ReadonlySet<MemberId>): void {
    this.#peers.set(member, peers);
  }

  cut(from: MemberId, to: MemberId): void {
    this.#cut.add(`${from} ${to}`);
  }

  /** Cuts a member off from all others, in both directions. */
  isolate(member: MemberId): void {
    for (const other of this.#receivers.keys()) {
      this.cut(member, other);
      this.cut(other, member);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** For what comes from nobody that it knows. */
  receiverOf(member: MemberId): Receiver | undefined {
    return this.#receivers.get(member);
  }

  /** The receiver at the other end of a link, unless it is cut, or one of the two does not talk to the other. */
  reach(from: MemberId, to: MemberId): Receiver | undefined {
    if (this.#cut.has(`${from} ${to}`) || !this.#talks(from, to) || !this.#talks(to, from)) return undefined;
    return this.#receivers.get(to);
  }

  #talks(member: MemberId, to: MemberId): boolean {
    return this.#peers.get(member)?.has(to) ?? true;
  }
}

class MemoryTransport implements Transport {
  readonly #network: MemoryNetwork;
  readonly #member: MemberId;

  constructor(network: MemoryNetwork, member: MemberId) {
    this.#network = network;
    this.#member = member;
  }

  send(_groupId: number, messages: readonly Message[]): void {
    for (const message of messages) {
      setImmediate(() => this.#network.reach(this.#member, message.to)?.onMessages([message]));
    }
  }

  async request(to: MemberId, request: PeerRequest): Promise<PeerAnswer> {
    const receiver = this.#network.reach(this.#member, to);
    if (receiver === undefined) return { outcome: 'not_sent', reason: 'the link is cut' };
    const body = await receiver.onRequest(this.#member, request);
    const isBackCut = this.#network.reach(to, this.#member) === undefined;
    return isBackCut ? { outcome: 'lost', reason: 'the link is cut' } : { outcome: 'answered', body };
  }

  setPeers(peers: readonly Peer[]): void {
    this.#network.setPeers(this.#member, new Set(peers.map(({ id }) => id)));
  }

  serve(_groupId: number, receiver: Receiver): void {
    this.#network.attach(this.#member, receiver);
  }

  peers(): readonly PeerView[] {
    return [];
  }

  addresses(): readonly string[] {
    return [];
  }

  async close(): Promise<void> {
    this.#network.detach(this.#member);
  }
}
