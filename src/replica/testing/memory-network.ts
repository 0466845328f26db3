import type { MemberId, Message } from '../../raft/index.ts';
import type { PeerAnswer, PeerRequest, PeerView, Receiver, Transport } from '../../transport/index.ts';

/**
 * The members' network in memory. It may: cut a link in one direction, and lose what is sent over it. It never
 * reorders, repeats or changes what it delivers.
 */
export class MemoryNetwork {
  readonly #receivers = new Map<MemberId, Receiver>();
  readonly #cut = new Set<string>();

  transportOf(member: MemberId): Transport {
    return new MemoryTransport(this, member);
  }

  attach(member: MemberId, receiver: Receiver): void {
    this.#receivers.set(member, receiver);
  }

  detach(member: MemberId): void {
    this.#receivers.delete(member);
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

  /** The receiver at the other end of a link, unless it is cut. */
  reach(from: MemberId, to: MemberId): Receiver | undefined {
    return this.#cut.has(`${from} ${to}`) ? undefined : this.#receivers.get(to);
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
