import { isOlder, minorOf } from '../base/software-version.ts';
import { encodeCommand, type Store } from '../mvcc/index.ts';
import type { Duty } from './duty.ts';
import type { Replica } from './replica.ts';

const proposalTimeoutMs = 5000;

/**
 * What all members understand, agreed in the log (as etcd's cluster version): the lowest version that any of them has
 * told the cluster. It rises by itself when the last one runs newer software, and never falls. What older members would
 * not understand must not be proposed before.
 */
export class ClusterVersion implements Duty {
  readonly #replica: Replica;
  #isProposing = false;

  constructor(replica: Replica) {
    this.#replica = replica;
    replica.addDuty(this);
  }

  onLeading(): void {}

  onDeposed(): void {}

  onTick(): void {
    const { store, logger } = this.#replica.options;
    if (this.#isProposing || this.#replica.leadingTerm === undefined) return;
    const version = lowestVersion(store);
    if (version === undefined || !isOlder(store.clusterVersion, version)) return;
    this.#isProposing = true;
    logger.info('cluster version rises', { from: store.clusterVersion, to: version });
    void this.#replica.propose(encodeCommand({ kind: 'clusterVersion', version }), proposalTimeoutMs).finally(() => {
      this.#isProposing = false;
    });
  }
}

/** Undefined while one of them has not told its own. */
function lowestVersion({ members }: Store): string | undefined {
  const versions = members.map(({ version }) => minorOf(version));
  return versions.reduce((lowest, version) => {
    if (lowest === undefined || version === undefined) return undefined;
    return isOlder(version, lowest) ? version : lowest;
  });
}
