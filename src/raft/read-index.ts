import type { CoreState } from './core-state.ts';
import { isQuorum } from './quorum.ts';
import type { ReadRequest } from './read-rounds.ts';
import type { LogIndex, MemberId } from './types.ts';

/** Takes a read in, as the leader: its own or a follower's. */
export function acceptRead(core: CoreState, read: ReadRequest): void {
  core.reads.add(read);
  beginRound(core);
}

/**
 * Answers what waits, or sees to it that a round will, with the next `Ready`. Before the term's first commit neither is
 * possible: the leader does not know yet which of its entries are committed (thesis 6.4, step 1).
 */
export function beginRound(core: CoreState): void {
  if (!core.reads.hasWaiting || !core.hasCommittedInTerm) return;
  if (core.isSingleVoter || isLeaseValid(core)) {
    release(core, core.reads.takeWaiting(), core.log.committed);
    return;
  }
  core.isReadRoundDue = core.reads.current === 0;
}

/** Called once a `Ready`, when the heartbeats leave: whatever arrived before that shares the round. */
export function startDueRound(core: CoreState): void {
  if (!core.isReadRoundDue) return;
  core.isReadRoundDue = false;
  if (core.reads.current === 0) startRound(core);
}

/** Lease reads live on rounds that go on whether anybody reads or not. */
export function renewLease(core: CoreState): void {
  if (core.options.readMode === 'lease' && core.reads.current === 0 && core.hasCommittedInTerm) startRound(core);
}

export function acknowledgeRound(core: CoreState, from: MemberId, number: number): void {
  const round = core.reads.acknowledge(from, number, (acknowledged) =>
    isQuorum(core.configuration, (member) => member === core.id || acknowledged.has(member)),
  );
  if (round === undefined) return;
  core.confirmedTick = Math.max(core.confirmedTick, round.startedTick);
  release(core, round.reads, round.index);
  beginRound(core);
}

export function broadcastHeartbeat(core: CoreState): void {
  core.heartbeatElapsedTicks = 0;
  for (const follower of core.followers.values()) {
    core.send({
      type: 'heartbeat',
      from: core.id,
      to: follower.id,
      term: core.term,
      // The follower's log may differ from this one behind what they are known to share.
      commit: Math.min(follower.matchIndex, core.log.committed),
      readRound: core.reads.current,
    });
  }
}

function startRound(core: CoreState): void {
  core.reads.start({ index: core.log.committed, tick: core.leadingTicks });
  broadcastHeartbeat(core);
}

function release(core: CoreState, reads: readonly ReadRequest[], index: LogIndex): void {
  for (const { from, context } of reads) {
    if (from === core.id) core.readStates.push({ context, index });
    else core.send({ type: 'readIndexResponse', from: core.id, to: from, term: core.term, context, index });
  }
}

/** See `RaftOptions.readMode`. During a transfer another member may be elected before this lease is over. */
function isLeaseValid(core: CoreState): boolean {
  const { readMode, electionTicks, leaseDriftTicks } = core.options;
  if (readMode !== 'lease' || core.transfer !== undefined) return false;
  return core.leadingTicks - core.confirmedTick < electionTicks - leaseDriftTicks;
}
