import type { CoreState } from './core-state.ts';
import type { FollowerProgress } from './progress.ts';
import { committedIndex, isQuorum } from './quorum.ts';
import { beginRound } from './read-index.ts';
import type { Entry, EntryType, LogIndex, MemberId } from './types.ts';

/** Appends to the leader's own log; followers get it with the next `Ready`. Returns the first index. */
export function appendAsLeader(
  core: CoreState,
  proposals: readonly { readonly type: EntryType; readonly data: Uint8Array }[],
): LogIndex {
  const firstIndex = core.log.lastIndex + 1;
  const entries: Entry[] = proposals.map(({ type, data }, i) => ({
    term: core.term,
    index: firstIndex + i,
    type,
    data,
  }));
  core.log.append(entries);
  core.isReplicationDue = true;
  return firstIndex;
}

/** Sends every follower what it lacks and may be sent. Called once a `Ready`, so that proposals share messages. */
export function replicate(core: CoreState): void {
  if (!core.isReplicationDue) return;
  core.isReplicationDue = false;
  for (const follower of core.followers.values()) {
    while (sendAppend(core, follower));
  }
  core.isCommitNoticeDue = false;
}

/** A follower may have entries of which it does not know that they are committed. */
export function lacksCommit(core: CoreState, follower: FollowerProgress): boolean {
  return follower.sentCommit < Math.min(core.log.committed, follower.nextIndex - 1);
}

/** Sends one append; true if another should follow at once. */
function sendAppend(core: CoreState, follower: FollowerProgress): boolean {
  if (follower.isPaused || follower.state === 'snapshot') return false;
  const { log, options } = core;
  const previousIndex = follower.nextIndex - 1;
  const previousTerm = log.term(previousIndex);
  if (previousTerm === undefined || follower.nextIndex < log.firstIndex) {
    follower.becomeSnapshot();
    return false;
  }
  const mayCarry = follower.state === 'probe' || !follower.inflights.isFull;
  const entries = mayCarry ? log.entries(follower.nextIndex, log.lastIndex + 1, options.messageBytesMax) : noEntries;
  const commit = log.committed;
  const tellsCommit = options.commitNotice === 'prompt' || core.isCommitNoticeDue;
  // A probe asks where the logs agree even if there is nothing to send.
  const isNews =
    entries.length > 0 ||
    follower.state === 'probe' ||
    follower.isAnswerDue ||
    (tellsCommit && lacksCommit(core, follower));
  if (!isNews) return false;
  follower.isAnswerDue = false;

  const to = follower.id;
  core.send({
    type: 'appendEntries',
    from: core.id,
    to,
    term: core.term,
    previousIndex,
    previousTerm,
    entries,
    commit,
  });
  const lastIndex = previousIndex + entries.length;
  follower.sentCommit = Math.min(commit, lastIndex);
  if (entries.length > 0 || follower.state === 'probe') follower.sent(lastIndex, dataBytes(entries));
  // More follows only if this one was cut by its size, and not because the rest has to come from disk.
  return lastIndex < log.lastIndex && lastIndex >= log.stableIndex && !follower.isPaused;
}

/**
 * Raft paper figure 8 and 5.4.2: counting replicas commits entries of the own term only; what came before commits with
 * them. True if the commit index moved.
 */
export function maybeCommit(core: CoreState): boolean {
  const index = committedIndex(core.configuration, (member) => matchIndexOf(core, member));
  if (index <= core.log.committed || core.log.term(index) !== core.term) return false;
  core.log.commitTo(index);
  if (core.options.commitNotice === 'prompt') tellCommit(core);
  // Reads that came before the term's first commit have waited for it.
  beginRound(core);
  return true;
}

export function tellCommit(core: CoreState): void {
  core.isCommitNoticeDue = true;
  core.isReplicationDue = true;
}

export function hasActiveQuorum(core: CoreState): boolean {
  return isQuorum(
    core.configuration,
    (member) => member === core.id || core.followers.get(member)?.recentlyActive === true,
  );
}

/** The leader counts for itself what its own disk has, and nothing more. */
function matchIndexOf(core: CoreState, member: MemberId): LogIndex {
  if (member === core.id) return core.log.stableIndex;
  return core.followers.get(member)?.matchIndex ?? 0;
}

function dataBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { data } of entries) bytes += data.length;
  return bytes;
}

const noEntries: readonly Entry[] = [];
