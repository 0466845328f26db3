import type { Store } from '../mvcc/index.ts';
import type { MemberId, RaftCore } from '../raft/index.ts';
import type { Transport } from '../transport/index.ts';

export interface PeerListOptions {
  readonly memberId: MemberId;
  readonly core: Pick<RaftCore, 'status'>;
  readonly store: Pick<Store, 'members' | 'removedMembers'>;
  readonly transport: Pick<Transport, 'setPeers'>;
}

/**
 * Tells the transport whom to talk to: the members of the store's table, and those that are being removed as long as
 * their vote may still be needed. Only then are they told that they were removed.
 */
export class PeerList {
  readonly #options: PeerListOptions;
  readonly #urls = new Map<MemberId, readonly string[]>();
  #isUpToDate = false;
  /** The table that the transport was told of; addresses change in it without a change of the configuration. */
  #shown: Store['members'] | undefined;
  #isRemoved = false;

  constructor(options: PeerListOptions) {
    this.#options = options;
  }

  /** This member takes part no more, and nobody needs its vote. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  onMembersChange(): void {
    this.#isUpToDate = false;
    this.#update();
  }

  onTick(): void {
    if (!this.#isUpToDate || this.#options.store.members !== this.#shown) this.#update();
  }

  #update(): void {
    const { memberId, core, store, transport } = this.#options;
    // A member that joins knows those that it was told of, and its store has none yet.
    if (store.members.length === 0) return;
    this.#shown = store.members;
    const { members, pendingConfiguration } = core.status();
    for (const { id, peerUrls } of store.members) this.#urls.set(id, peerUrls);
    const ids = new Set([...store.members.map(({ id }) => id), ...members]);
    const removed = new Set([...store.removedMembers].filter((id) => !ids.has(id)));
    ids.delete(memberId);
    // One that is in the configuration, and not yet in the table, is one whose entry is still to be applied here.
    const peers = [...ids].map((id) => ({ id, urls: this.#urls.get(id) ?? [] })).filter(({ urls }) => urls.length > 0);
    transport.setPeers(peers, removed);
    this.#isRemoved = removed.has(memberId);
    this.#isUpToDate = !pendingConfiguration;
  }
}
