import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { preCampaign } from './campaign.ts';
import { checkInvariants, type HighWater } from './check-invariants.ts';
import { CoreState } from './core-state.ts';
import { installSnapshot } from './install-snapshot.ts';
import { propose } from './propose.ts';
import { proposeConfiguration } from './propose-configuration.ts';
import { requestReadIndex } from './read-index.ts';
import { ReadyCycle } from './ready-cycle.ts';
import { isCommitUntold } from './replicate.ts';
import { describeStatus } from './status.ts';
import { step } from './step.ts';
import { tick } from './tick.ts';
import { type TransferResult, transferLeadership } from './transfer.ts';
import type {
  ConfigurationChange,
  LogIndex,
  LogReader,
  MemberId,
  Message,
  ProposalResult,
  RaftOptions,
  RaftStatus,
  Ready,
  Role,
  Snapshot,
  Term,
} from './types.ts';

/**
 * One Raft group on one member: input goes in by the methods, one `Ready` at a time comes out. Synchronous, without
 * clock, I/O or chance of its own; the same input gives the same output.
 */
export class RaftCore {
  readonly #core: CoreState;
  readonly #cycle: ReadyCycle;
  readonly #highWater: HighWater = { term: 0, committed: 0 };

  constructor(options: RaftOptions, log: LogReader, random: Random) {
    this.#core = new CoreState(options, log, random);
    this.#cycle = new ReadyCycle(this.#core);
    this.#check();
  }

  get role(): Role {
    return this.#core.role;
  }

  get leader(): MemberId | undefined {
    return this.#core.leader;
  }

  get term(): Term {
    return this.#core.term;
  }

  get commitIndex(): LogIndex {
    return this.#core.log.committed;
  }

  get appliedIndex(): LogIndex {
    return this.#core.log.applied;
  }

  get lastIndex(): LogIndex {
    return this.#core.log.lastIndex;
  }

  /** It abstains from elections, because it has lost something that it promised. */
  get isSuspect(): boolean {
    return this.#core.isSuspect;
  }

  get isTransferring(): boolean {
    return this.#core.leadership?.transfer !== undefined;
  }

  tick(): void {
    tick(this.#core);
    this.#check();
  }

  /** A peer's message, however odd: what is old, foreign or contradictory is answered or ignored, and never throws. */
  step(message: Message): void {
    step(this.#core, message);
    this.#check();
  }

  /** Takes all of it or nothing. Only a leader takes proposals; to forward them is the caller's part. */
  propose(data: readonly Uint8Array[]): ProposalResult {
    const result = propose(this.#core, data);
    this.#check();
    return result;
  }

  /**
   * Changes who takes part, to the sets that are given. If the voters stay the same that is one entry; otherwise it is a
   * joint configuration, which the leader, or a later one, leaves by a second entry once the first is committed and
   * applied (thesis 4.3). A configuration is in effect from its append on. `RaftStatus.pendingConfiguration` tells when
   * it is over. A leader that is no voter any more leads until the last entry is committed, and hands over then.
   *
   * That the members can decide afterwards, and that those who are to vote have caught up, is the caller's to see to.
   */
  proposeConfiguration(change: ConfigurationChange): ProposalResult {
    const result = proposeConfiguration(this.#core, change);
    this.#check();
    return result;
  }

  /**
   * The whole state up to the snapshot's index is here, fetched and verified, to take the place of this member's: the
   * next `Ready` has it. Only while no `Ready` is out. False: it is not needed, because everything up to there is
   * committed here, or is now, since the log holds the same. Either way the leader is told.
   */
  installSnapshot(snapshot: Snapshot): boolean {
    assert(!this.#cycle.isOut, 'a snapshot is installed between two Readys');
    const isTaken = installSnapshot(this.#core, snapshot);
    this.#check();
    return isTaken;
  }

  /**
   * Asks for an index at which a linearizable read may be served; the answer is a `ReadState` with this context. False:
   * no leader is known. A change of term or leader drops the question without an answer: ask again, with a new context.
   */
  requestReadIndex(context: number): boolean {
    return requestReadIndex(this.#core, context);
  }

  /** Leadership transfer (thesis 3.10). Proposals are refused until it succeeds or an election timeout has passed. */
  transferLeadership(to: MemberId): TransferResult {
    return transferLeadership(this.#core, to);
  }

  /** Campaigns at once, if this member may and does not lead already. */
  campaign(): void {
    const { role, isPromotable, mustHonourLease } = this.#core;
    if (role !== 'leader' && isPromotable && !mustHonourLease) preCampaign(this.#core);
    this.#check();
  }

  /** A leader that cannot do its work, such as one whose disk hangs, gives up. The term stays. */
  stepDown(): void {
    if (this.#core.role === 'leader') this.#core.becomeFollower(this.#core.term, undefined);
    this.#check();
  }

  /** What was sent to that member may be lost: appends to it start again from what it is known to have. */
  reportUnreachable(id: MemberId): void {
    this.#core.leadership?.followers.get(id)?.unreachable();
  }

  /** A follower waits to be told that everything up to `index` is committed; see `RaftOptions.commitNotice`. */
  isCommitUntold(index: LogIndex): boolean {
    const { leadership } = this.#core;
    return leadership !== undefined && isCommitUntold(this.#core, leadership, index);
  }

  /** Tells all of them, up to the present commit index, with the next `Ready`. */
  tellCommit(): void {
    const { leadership } = this.#core;
    if (leadership !== undefined && this.isCommitUntold(this.commitIndex)) leadership.isCommitNoticeDue = true;
  }

  /** False while a `Ready` is out. */
  hasReady(): boolean {
    return this.#cycle.hasReady();
  }

  ready(): Ready {
    const ready = this.#cycle.take();
    this.#check();
    return ready;
  }

  /** Everything in it was persisted, sent and applied. */
  advance(ready: Ready): void {
    this.#cycle.advance(ready);
    this.#check();
  }

  status(): RaftStatus {
    return describeStatus(this.#core);
  }

  #check(): void {
    checkInvariants(this.#core, this.#highWater);
  }
}
