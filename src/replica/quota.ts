import { encodeCommand } from '../mvcc/index.ts';
import type { Duty } from './duty.ts';
import type { Replica } from './replica.ts';

const proposalTimeoutMs = 5000;

/** The leader's quota becomes everybody's, through the log: all members have to refuse the same writes. */
export class Quota implements Duty {
  readonly #replica: Replica;
  readonly #bytes: number;
  #isProposing = false;

  constructor(replica: Replica, bytes: number) {
    this.#replica = replica;
    this.#bytes = bytes;
    replica.addDuty(this);
  }

  onLeading(): void {}

  onDeposed(): void {}

  onTick(): void {
    const { store } = this.#replica.options;
    if (this.#isProposing || this.#replica.leadingTerm === undefined || store.quotaBytes === this.#bytes) return;
    this.#isProposing = true;
    void this.#replica.propose(encodeCommand({ kind: 'quota', bytes: this.#bytes }), proposalTimeoutMs).finally(() => {
      this.#isProposing = false;
    });
  }
}
