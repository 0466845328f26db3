import { assert } from '../base/assert.ts';
import { countOwnVote } from './campaign.ts';
import type { CoreState } from './core-state.ts';
import { maybeLeaveJoint } from './propose-configuration.ts';
import { handleWaitingReads, sendDueHeartbeats, wantsReads } from './read-index.ts';
import { maybeCommit, takeAppends, wantsAppends } from './replicate.ts';
import { healSuspect } from './suspect.ts';
import type { HardState, Message, Ready, SoftState } from './types.ts';

/**
 * Shows what the rules have brought about, one `Ready` at a time, and takes in that it was done. What a `Ready` holds is
 * decided when it is taken, not when its cause came in: so everything between two of them shares one batch, one append
 * for each follower, and one round for the reads.
 */
export class ReadyCycle {
  readonly #core: CoreState;
  #outstanding: Ready | undefined;
  #shownHardState: HardState;
  #shownSoftState: SoftState;

  constructor(core: CoreState) {
    this.#core = core;
    this.#shownHardState = core.hardState();
    this.#shownSoftState = core.softState();
  }

  get isOut(): boolean {
    return this.#outstanding !== undefined;
  }

  hasReady(): boolean {
    if (this.isOut) return false;
    const { log, outbox, readStates, leadership, snapshotOffer } = this.#core;
    if (snapshotOffer !== undefined) return true;
    if (log.hasPending || log.hasCommittedEntries() || !outbox.isEmpty || readStates.length > 0) return true;
    if (this.#isHardStateNew() || this.#isSoftStateNew()) return true;
    if (leadership === undefined) return false;
    const sendsHeartbeats = leadership.isHeartbeatDue && leadership.followers.size > 0;
    return sendsHeartbeats || wantsAppends(this.#core, leadership) || wantsReads(this.#core, leadership);
  }

  take(): Ready {
    assert(!this.isOut, 'the Ready that is out has not been advanced');
    const core = this.#core;
    healSuspect(core);
    const snapshot = core.log.beginSnapshot();
    const entries = core.log.beginWrite();
    const appends: Message[] = [];
    if (core.leadership !== undefined) {
      handleWaitingReads(core, core.leadership);
      takeAppends(core, core.leadership, appends);
      sendDueHeartbeats(core, core.leadership);
    }
    const { term, vote, suspectTerm } = this.#shownHardState;
    // Written at once also when it ends: a member that is suspect again after each restart could leave a cluster without
    // enough voters.
    const isVoteNew = core.term !== term || core.vote !== vote || core.suspectTerm !== suspectTerm;
    const mustPersist = isVoteNew || entries.length > 0 || snapshot !== undefined;
    const ready: Ready = {
      hardState: this.#isHardStateNew() ? core.hardState() : undefined,
      softState: this.#isSoftStateNew() ? core.softState() : undefined,
      entries,
      snapshot,
      mustPersist,
      ...core.outbox.take(appends, { vote: isVoteNew, anything: mustPersist }),
      committedEntries: core.log.committedEntries(core.options.committedBytesMax),
      readStates: core.readStates,
      snapshotOffer: core.snapshotOffer,
    };
    core.readStates = [];
    core.snapshotOffer = undefined;
    this.#shownHardState = ready.hardState ?? this.#shownHardState;
    this.#shownSoftState = ready.softState ?? this.#shownSoftState;
    this.#outstanding = ready;
    return ready;
  }

  /** Only what is durable counts: the vote for oneself, and one's own copy of the entries. */
  advance(ready: Ready): void {
    assert(this.#outstanding === ready, 'only the Ready that is out can be advanced');
    this.#outstanding = undefined;
    const core = this.#core;
    core.log.endWrite();
    const lastApplied = ready.committedEntries.at(-1);
    if (lastApplied !== undefined) core.log.appliedTo(lastApplied.index);
    const { term, vote } = this.#shownHardState;
    healSuspect(core);
    if (term === core.term && vote === core.id) countOwnVote(core);
    if (core.leadership !== undefined) maybeCommit(core, core.leadership);
    if (core.leadership !== undefined) maybeLeaveJoint(core, core.leadership);
  }

  #isHardStateNew(): boolean {
    const { term, vote, commit, suspectTerm } = this.#shownHardState;
    const { log } = this.#core;
    if (this.#core.suspectTerm !== suspectTerm) return true;
    return this.#core.term !== term || this.#core.vote !== vote || log.committed !== commit;
  }

  #isSoftStateNew(): boolean {
    return this.#core.role !== this.#shownSoftState.role || this.#core.leader !== this.#shownSoftState.leader;
  }
}
