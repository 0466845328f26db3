import type { CoreState, Leadership } from './core-state.ts';
import type { FollowerProgress } from './progress.ts';
import { isQuorum } from './quorum.ts';
import type { ReadRequest } from './read-rounds.ts';
import type { LogIndex, MemberId } from './types.ts';

/** Answers that a follower waits for; the oldest question gives way, and is asked again. */
const askedReadsMax = 4096;

/** See `RaftCore.requestReadIndex`. */
export function requestReadIndex(core: CoreState, context: number): boolean {
  const { id, leader, leadership, askedReads, term } = core;
  if (leader === undefined) return false;
  if (leadership !== undefined) {
    leadership.reads.add({ from: id, context });
    return true;
  }
  const [oldest] = askedReads;
  if (oldest !== undefined && askedReads.size >= askedReadsMax) askedReads.delete(oldest);
  askedReads.add(context);
  core.send({ type: 'readIndex', from: id, to: leader, term, context });
  return true;
}

/**
 * Whether the next `Ready` does something for reads that wait. Before the term's first commit it cannot: the leader does
 * not know yet which of its entries are committed (thesis 6.4, step 1; etcd-io/etcd#7331).
 */
export function wantsReads(core: CoreState, leadership: Leadership): boolean {
  const { reads } = leadership;
  if (!reads.hasWaiting || !hasCommittedInTerm(core, leadership)) return false;
  return reads.current === undefined || isLeaseValid(core, leadership);
}

/**
 * Starts a round for all reads that wait, unless one is under way, or answers them where none is needed. Called once a
 * `Ready`, when the heartbeats leave: whatever arrived before that shares the round.
 */
export function handleWaitingReads(core: CoreState, leadership: Leadership): void {
  const { reads, isHeartbeatDue, ticks } = leadership;
  if (!hasCommittedInTerm(core, leadership)) return;
  if (isLeaseValid(core, leadership)) release(core, reads.takeWaiting(), core.log.committed);
  // A lease lives on rounds that go on whether anybody reads or not.
  const isLeaseDue = core.options.readMode === 'lease' && isHeartbeatDue;
  if (reads.current !== undefined || !(isLeaseDue || reads.hasWaiting)) return;
  reads.start({ index: core.log.committed, tick: ticks });
  if (!maybeEndRound(core, leadership)) leadership.isHeartbeatDue = true;
}

export function acknowledgeRound(core: CoreState, leadership: Leadership, from: MemberId, number: number): void {
  const { current } = leadership.reads;
  // An answer to an older round says nothing about the time since then (etcd-io/etcd#20418).
  if (current?.number !== number) return;
  current.answered.add(from);
  maybeEndRound(core, leadership);
}

export function sendDueHeartbeats(core: CoreState, leadership: Leadership): void {
  if (!leadership.isHeartbeatDue) return;
  leadership.isHeartbeatDue = false;
  for (const follower of leadership.followers.values()) sendHeartbeat(core, leadership, follower);
}

export function sendHeartbeat(core: CoreState, leadership: Leadership, follower: FollowerProgress): void {
  const [from, term] = [core.id, core.term];
  const readRound = leadership.reads.current?.number ?? 0;
  // The follower's log may differ from this one behind what they are known to share.
  const known = Math.min(follower.matchIndex, core.log.committed);
  const commitTerm = core.log.term(known) ?? 0;
  // Of what this log has dropped it cannot say what it was.
  const commit = commitTerm > 0 ? known : 0;
  follower.noteSentCommit(commit);
  core.send({ type: 'heartbeat', from, to: follower.id, term, commit, commitTerm, readRound });
}

/** True if those who have answered are a quorum: also when the others were removed, who never will. */
export function maybeEndRound(core: CoreState, leadership: Leadership): boolean {
  const { current } = leadership.reads;
  if (current === undefined) return false;
  const isAnswered = (member: MemberId): boolean => member === core.id || current.answered.has(member);
  if (!isQuorum(core.configuration, isAnswered)) return false;
  leadership.reads.end();
  leadership.confirmedTick = current.startedTick;
  release(core, current.reads, current.index);
  return true;
}

function release(core: CoreState, reads: readonly ReadRequest[], index: LogIndex): void {
  for (const { from, context } of reads) {
    if (from === core.id) core.readStates.push({ context, index });
    else core.send({ type: 'readIndexResponse', from: core.id, to: from, term: core.term, context, index });
  }
}

function hasCommittedInTerm(core: CoreState, { noopIndex }: Leadership): boolean {
  return core.log.committed >= noopIndex;
}

/** See `RaftOptions.readMode`. During a transfer another member may be elected before this lease is over. */
function isLeaseValid(core: CoreState, { ticks, confirmedTick, transfer, isLeaseForfeited }: Leadership): boolean {
  const { readMode, electionTicks, leaseDriftTicks } = core.options;
  if (readMode !== 'lease' || transfer !== undefined || isLeaseForfeited) return false;
  return ticks - confirmedTick < electionTicks - leaseDriftTicks;
}
