import type { Store } from '../mvcc/index.ts';
import { ConfigurationHistory, type MemberId, type RaftCore } from '../raft/index.ts';
import type { RaftLog } from '../storage/index.ts';
import type { Transport } from '../transport/index.ts';

export interface PeerListOptions {
  readonly memberId: MemberId;
  readonly core: Pick<RaftCore, 'status'>;
  readonly store: Pick<Store, 'members' | 'removedMembers'>;
  readonly transport: Pick<Transport, 'setPeers'>;
}

/** What `peersAtStart` looks at. */
export interface StateAtStart {
  readonly log: Pick<RaftLog, 'configurations' | 'hardState'>;
  readonly store: Pick<Store, 'removedMembers' | 'appliedIndex'>;
}

/**
 * Whom a member that starts may tell that they were removed, before its core says it: none whose vote may still be
 * needed, because the entry that ends their part in deciding is not known to be committed.
 */
export function removedAtStart({ log, store }: StateAtStart): ReadonlySet<MemberId> {
  const committed = Math.max(log.hardState.commit, store.appliedIndex);
  const { members } = new ConfigurationHistory(log.configurations(), committed);
  return new Set([...store.removedMembers].filter((id) => !members.includes(id)));
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
