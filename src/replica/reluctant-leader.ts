import type { FollowerView, MemberId } from '../raft/index.ts';
import type { Duty } from './duty.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import type { Replica } from './replica.ts';

export interface ReluctanceOptions {
  /** This member would rather not lead: it is far away, or has other things to do. */
  readonly avoidsLeading: boolean;
}

/** Looked at that often; a cluster without a willing member is led by an unwilling one meanwhile. */
const lookIntervalMs = 2000;
const answerTimeoutMs = 1000;

/**
 * A leader that would rather not lead hands over to the most advanced voter that does not mind. A preference and no rule:
 * whoever is needed leads.
 */
export class ReluctantLeader implements Duty {
  readonly #replica: Replica;
  readonly #options: ReluctanceOptions;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;

  constructor(replica: Replica, options: ReluctanceOptions) {
    this.#replica = replica;
    this.#options = options;
    replica.addDuty(this);
    replica.answerPeers(peerRequestKinds.willingness, async () => Buffer.of(options.avoidsLeading ? 0 : 1));
  }

  onLeading(): void {}

  onDeposed(): void {}

  onTick(): void {
    const now = this.#replica.options.clock.monotonicMs();
    if (!this.#options.avoidsLeading || this.#isAsking || this.#replica.leadingTerm === undefined) return;
    if (now - this.#lastMs < lookIntervalMs) return;
    this.#lastMs = now;
    this.#isAsking = true;
    void this.#handOver().finally(() => {
      this.#isAsking = false;
    });
  }

  async #handOver(): Promise<void> {
    const term = this.#replica.leadingTerm;
    for (const { id } of this.#replica.successors().filter(keepsUp)) {
      if (!(await this.#isWilling(id))) continue;
      if (this.#replica.leadingTerm === term) await this.#replica.transferLeadership(id);
      return;
    }
  }

  async #isWilling(member: MemberId): Promise<boolean> {
    const { transport, groupId } = this.#replica.options;
    const request = { groupId, kind: peerRequestKinds.willingness, body: Buffer.alloc(0), timeoutMs: answerTimeoutMs };
    const answer = await transport.request(member, request);
    return answer.outcome === 'answered' && answer.body[0] === 1;
  }
}

function keepsUp({ state }: FollowerView): boolean {
  return state === 'replicate';
}
