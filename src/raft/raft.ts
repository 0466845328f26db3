import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { countOwnVote, preCampaign } from './campaign.ts';
import { checkInvariants } from './check-invariants.ts';
import { isVoter } from './configuration.ts';
import { CoreState } from './core-state.ts';
import { acceptRead, startDueRound } from './read-index.ts';
import { appendAsLeader, lacksCommit, maybeCommit, replicate, tellCommit } from './replicate.ts';
import { step } from './step.ts';
import { tick } from './tick.ts';
import { maybeCompleteTransfer } from './transfer.ts';
import type {
  Entry,
  FollowerView,
  HardState,
  LogIndex,
  LogReader,
  MemberId,
  Message,
  ProposalResult,
  RaftOptions,
  RaftStatus,
  Ready,
  Role,
  SoftState,
  Term,
} from './types.ts';

export type TransferResult = 'started' | 'not_leader' | 'unknown_member' | 'learner' | 'already_leader' | 'in_progress';

/**
 * One Raft group on one member: input goes in by the methods, one `Ready` at a time comes out. Synchronous, without
 * clock, I/O or chance of its own; the same input gives the same output.
 */
export class RaftCore {
  readonly #core: CoreState;
  #outstanding: Ready | undefined;
  #shownHardState: HardState;
  #shownSoftState: SoftState;

  constructor(options: RaftOptions, log: LogReader, random: Random) {
    this.#core = new CoreState(options, log, random);
    this.#shownHardState = this.#hardState();
    this.#shownSoftState = this.#softState();
    checkInvariants(this.#core);
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

  get isTransferring(): boolean {
    return this.#core.transfer !== undefined;
  }

  tick(): void {
    tick(this.#core);
  }

  /** A peer's message, however odd: what is old, foreign or contradictory is answered or ignored, and never throws. */
  step(message: Message): void {
    step(this.#core, message);
  }

  propose(data: readonly Uint8Array[]): ProposalResult {
    const core = this.#core;
    if (core.role !== 'leader') return { accepted: false, reason: 'not_leader' };
    if (core.transfer !== undefined) return { accepted: false, reason: 'transferring' };
    const bytes = data.reduce((sum, { length }) => sum + length, 0);
    // A single proposal above the limit still passes while nothing else is open.
    if (core.uncommittedBytes > 0 && core.uncommittedBytes + bytes > core.options.uncommittedBytesMax) {
      return { accepted: false, reason: 'uncommitted_limit' };
    }
    core.uncommittedBytes += bytes;
    const firstIndex = appendAsLeader(
      core,
      data.map((one) => ({ type: 'command', data: one })),
    );
    return { accepted: true, term: core.term, firstIndex };
  }

  /**
   * Asks for an index at which a linearizable read may be served; the answer is a `ReadState` with this context. False:
   * no leader is known. A change of term or leader drops the question without an answer: ask again with a new context.
   */
  requestReadIndex(context: number): boolean {
    const core = this.#core;
    if (core.leader === undefined) return false;
    if (core.role === 'leader') acceptRead(core, { from: core.id, context });
    else core.send({ type: 'readIndex', from: core.id, to: core.leader, term: core.term, context });
    return true;
  }

  /** Leadership transfer (thesis 3.10). Proposals are refused until it succeeds or an election timeout has passed. */
  transferLeadership(to: MemberId): TransferResult {
    const core = this.#core;
    if (core.role !== 'leader') return 'not_leader';
    if (to === core.id) return 'already_leader';
    const follower = core.followers.get(to);
    if (follower === undefined) return 'unknown_member';
    if (!isVoter(core.configuration, to)) return 'learner';
    if (core.transfer?.target === to) return 'in_progress';
    core.transfer = { target: to, elapsedTicks: 0 };
    core.isReplicationDue = true;
    maybeCompleteTransfer(core, follower);
    return 'started';
  }

  /** Campaigns at once, if this member may and does not lead already. */
  campaign(): void {
    if (this.#core.role !== 'leader' && this.#core.isPromotable) preCampaign(this.#core);
  }

  /** A leader that cannot do its work, such as one whose disk hangs, gives up. The term stays. */
  stepDown(): void {
    if (this.#core.role === 'leader') this.#core.becomeFollower(this.#core.term, undefined);
  }

  /** What was sent to that member may be lost: appends to it start again from what it is known to have. */
  reportUnreachable(id: MemberId): void {
    const follower = this.#core.followers.get(id);
    if (follower?.state === 'replicate') follower.becomeProbe();
  }

  /** Followers wait to be told of a commit; see `RaftOptions.commitNotice`. */
  get hasUntoldCommit(): boolean {
    const core = this.#core;
    for (const follower of core.followers.values()) if (lacksCommit(core, follower)) return true;
    return false;
  }

  /** Tells them with the next `Ready`. */
  tellCommit(): void {
    if (this.hasUntoldCommit) tellCommit(this.#core);
  }

  hasReady(): boolean {
    const core = this.#core;
    return (
      this.#outstanding === undefined &&
      (core.log.unstable.length > 0 ||
        core.isReplicationDue ||
        core.isReadRoundDue ||
        core.readStates.length > 0 ||
        !core.outbox.isEmpty ||
        core.log.hasCommittedEntries() ||
        !isSameHardState(this.#hardState(), this.#shownHardState) ||
        !isSameSoftState(this.#softState(), this.#shownSoftState))
    );
  }

  ready(): Ready {
    assert(this.#outstanding === undefined, 'the last Ready has not been advanced');
    const core = this.#core;
    replicate(core);
    startDueRound(core);
    const hardState = this.#hardState();
    const softState = this.#softState();
    const last = this.#shownHardState;
    const isVoteNew = hardState.term !== last.term || hardState.vote !== last.vote;
    const entries = core.log.unstable;
    const mustPersist = isVoteNew || entries.length > 0;
    this.#outstanding = {
      hardState: isSameHardState(hardState, last) ? undefined : hardState,
      softState: isSameSoftState(softState, this.#shownSoftState) ? undefined : softState,
      entries,
      mustPersist,
      ...core.outbox.take({ hardState: isVoteNew, anything: mustPersist }),
      committedEntries: core.log.committedEntries(core.options.committedBytesMax),
      readStates: core.readStates,
    };
    core.readStates = [];
    this.#shownHardState = hardState;
    this.#shownSoftState = softState;
    return this.#outstanding;
  }

  /** Everything in it was persisted, sent and applied. */
  advance(ready: Ready): void {
    assert(this.#outstanding === ready, 'only the Ready that is out can be advanced');
    this.#outstanding = undefined;
    const core = this.#core;
    const lastWritten = ready.entries.at(-1);
    if (lastWritten !== undefined) core.log.stableTo(lastWritten);
    const lastApplied = ready.committedEntries.at(-1);
    if (lastApplied !== undefined) core.log.appliedTo(lastApplied.index);
    core.uncommittedBytes = Math.max(0, core.uncommittedBytes - dataBytes(ready.committedEntries));

    // Only what is durable counts: the vote for oneself, and one's own copy of the entries.
    const durable = this.#shownHardState;
    if (durable.term === core.term && durable.vote === core.id) countOwnVote(core);
    if (core.role === 'leader') maybeCommit(core);
    checkInvariants(core);
  }

  status(): RaftStatus {
    const core = this.#core;
    return {
      id: core.id,
      role: core.role,
      leader: core.leader,
      term: core.term,
      vote: core.vote,
      commitIndex: core.log.committed,
      appliedIndex: core.log.applied,
      lastIndex: core.log.lastIndex,
      configuration: core.configuration,
      uncommittedBytes: core.uncommittedBytes,
      transferTarget: core.transfer?.target,
      followers: [...core.followers.values()].map((follower) => this.#view(follower.id)),
    };
  }

  #view(id: MemberId): FollowerView {
    const follower = this.#core.followers.get(id);
    assert(follower !== undefined, () => `no follower ${id}`);
    return {
      id,
      role: isVoter(this.#core.configuration, id) ? 'voter' : 'learner',
      state: follower.state,
      matchIndex: follower.matchIndex,
      nextIndex: follower.nextIndex,
      inflightMessages: follower.inflights.count,
      recentlyActive: follower.recentlyActive,
    };
  }

  #hardState(): HardState {
    return { term: this.#core.term, vote: this.#core.vote, commit: this.#core.log.committed };
  }

  #softState(): SoftState {
    return { role: this.#core.role, leader: this.#core.leader };
  }
}

function isSameHardState(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}

function isSameSoftState(a: SoftState, b: SoftState): boolean {
  return a.role === b.role && a.leader === b.leader;
}

function dataBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, { data }) => sum + data.length, 0);
}
