import { assert } from '../base/assert.ts';
import type { MemberId } from '../raft/types.ts';
import type { Hello } from './codec.ts';
import { type Identity, isDialable } from './handshake.ts';
import type { Peer } from './transport.ts';

/** Members that introduce themselves are believed that long without a sign of life, and that many at a time. */
const strangerMsMax = 60_000;
const strangersMax = 16;

export interface KnownMembersOptions {
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly clusterVersion: () => string;
  /** The other members, to begin with. */
  readonly peers: readonly Peer[];
  readonly removed: ReadonlySet<MemberId>;
}

/**
 * Who this member is, and whom it knows at the moment: the members of its store, and those that were added while it was
 * away, or had lost its log, and introduced themselves. One of these may lead, and this member can hear of that from
 * nobody else.
 */
export class KnownMembers implements Identity {
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly #clusterVersion: () => string;
  readonly #peerIds = new Set<MemberId>();
  #removedIds: ReadonlySet<MemberId> = new Set();
  /** When they introduced themselves. */
  readonly #strangers = new Map<MemberId, number>();

  constructor({ clusterId, memberId, clusterVersion, peers, removed }: KnownMembersOptions) {
    this.clusterId = clusterId;
    this.memberId = memberId;
    this.#clusterVersion = clusterVersion;
    this.setMembers(peers, removed);
  }

  get peerIds(): ReadonlySet<MemberId> {
    return this.#peerIds;
  }

  get removedIds(): ReadonlySet<MemberId> {
    return this.#removedIds;
  }

  get clusterVersion(): string {
    return this.#clusterVersion();
  }

  /** Strangers stay, unless they are among these. */
  setMembers(peers: readonly Peer[], removed: ReadonlySet<MemberId>): void {
    assert(
      peers.every(({ id }) => id !== this.memberId),
      `member ${this.memberId} is among its own peers`,
    );
    for (const { id } of peers) this.#strangers.delete(id);
    for (const id of removed) this.#strangers.delete(id);
    this.#peerIds.clear();
    for (const { id } of peers) this.#peerIds.add(id);
    for (const id of this.#strangers.keys()) this.#peerIds.add(id);
    this.#removedIds = removed;
  }

  /**
   * Where the sender of a hello that was refused as of an `unknown_member` is dialed: it is known from now on. Undefined,
   * and nothing changes, if it does not say so or too many have introduced themselves. `nowMs` is monotonic.
   */
  admit({ from, peerUrls = [] }: Pick<Hello, 'from' | 'peerUrls'>, nowMs: number): Peer | undefined {
    const isKnowable = peerUrls.length > 0 && peerUrls.every(isDialable) && this.#strangers.size < strangersMax;
    if (!isKnowable) return undefined;
    this.#strangers.set(from, nowMs);
    this.#peerIds.add(from);
    return { id: from, urls: peerUrls };
  }

  /** The strangers that have been silent for too long: they are known no more. `aliveMs`: the last sign of life. */
  forgetSilent(nowMs: number, aliveMs: (member: MemberId) => number): readonly MemberId[] {
    const silent = [...this.#strangers].filter(
      ([id, sinceMs]) => nowMs - Math.max(sinceMs, aliveMs(id)) > strangerMsMax,
    );
    for (const [id] of silent) {
      this.#strangers.delete(id);
      this.#peerIds.delete(id);
    }
    return silent.map(([id]) => id);
  }
}
