import type { CoreState, Leadership } from './core-state.ts';
import { emptySlice, type LogSlice } from './log-slice.ts';
import { configurationCommitted } from './membership.ts';
import type { FollowerProgress } from './progress.ts';
import { committedIndex } from './quorum.ts';
import type { AppendEntries, EntryType, InstallSnapshot, LogIndex, MemberId, Message } from './types.ts';

/** The entries that were sent last; the next follower mostly stands at the same one. */
interface SharedSlice {
  low: LogIndex;
  slice: LogSlice;
}

/** Appends to the leader's own log; followers get it with the next `Ready`. Returns the first index. */
export function appendAsLeader(
  core: CoreState,
  { uncommitted }: Leadership,
  type: EntryType,
  data: readonly Uint8Array[],
): LogIndex {
  const firstIndex = core.log.lastIndex + 1;
  const term = core.term;
  core.log.append(data.map((one, i) => ({ term, index: firstIndex + i, type, data: one })));
  for (const { length } of data) uncommitted.add(length);
  return firstIndex;
}

export function wantsAppends(core: CoreState, leadership: Leadership): boolean {
  for (const follower of leadership.followers.values()) {
    if (wantsAppend(core, leadership, follower)) return true;
  }
  return false;
}

/** Some follower could be told that everything up to `index` is committed; see `RaftOptions.commitNotice`. */
export function isCommitUntold({ log }: CoreState, { followers }: Leadership, index: LogIndex): boolean {
  const commit = Math.min(index, log.committed);
  for (const follower of followers.values()) {
    if (follower.wantsCommit(commit)) return true;
  }
  return false;
}

/**
 * Sends every follower what it lacks and may be sent. Called once a `Ready`, so that all that was proposed before it
 * shares one message, and followers that stand at the same entry share one array of entries.
 */
export function takeAppends(core: CoreState, leadership: Leadership, messages: Message[]): void {
  const shared: SharedSlice = { low: 0, slice: emptySlice };
  for (const follower of leadership.followers.values()) {
    while (wantsAppend(core, leadership, follower)) {
      const message = follower.state === 'snapshot' ? nextOffer(core, follower) : nextAppend(core, follower, shared);
      if (message !== undefined) messages.push(message);
    }
  }
  leadership.isCommitNoticeDue = false;
}

function wantsAppend({ log, options }: CoreState, leadership: Leadership, follower: FollowerProgress): boolean {
  if (follower.state === 'snapshot') return follower.dueOffer(log) !== undefined;
  const tellsCommit = options.commitNotice === 'prompt' || leadership.isCommitNoticeDue;
  return follower.wantsAppend(log.lastIndex) || (tellsCommit && follower.wantsCommit(log.committed));
}

function nextOffer({ log, id, term }: CoreState, follower: FollowerProgress): InstallSnapshot | undefined {
  const index = follower.dueOffer(log);
  if (index === undefined) return undefined;
  follower.offered(index);
  return { type: 'installSnapshot', from: id, to: follower.id, term, index };
}

/** Undefined if the log does not reach back to where the follower stands; then it is offered a snapshot. */
function nextAppend(core: CoreState, follower: FollowerProgress, shared: SharedSlice): AppendEntries | undefined {
  const { log, options } = core;
  const { nextIndex } = follower;
  const previousIndex = nextIndex - 1;
  const previousTerm = nextIndex < log.firstIndex ? undefined : log.term(previousIndex);
  if (previousTerm === undefined) {
    follower.becomeSnapshot();
    return undefined;
  }
  // Beyond a full window only the question is sent what the follower has; see `FollowerProgress.answeredHeartbeat`.
  let slice: LogSlice = emptySlice;
  if (!follower.inflights.isFull) {
    if (shared.low !== nextIndex) {
      shared.low = nextIndex;
      shared.slice = log.slice(nextIndex, options.messageBytesMax);
    }
    slice = shared.slice;
  }
  const { entries, bytes, isShort } = slice;
  const commit = log.committed;
  follower.sent({ count: entries.length, bytes, commit, isShort });
  const [from, to, term] = [core.id, follower.id, core.term];
  return { type: 'appendEntries', from, to, term, previousIndex, previousTerm, entries, commit };
}

/**
 * Raft paper figure 8 and 5.4.2: counting replicas commits entries of the own term only; what came before commits with
 * them. The leader counts for itself what its own disk has, and nothing more.
 */
export function maybeCommit(core: CoreState, leadership: Leadership): void {
  const { log } = core;
  const { followers, noopIndex, uncommitted } = leadership;
  const before = log.committed;
  const matchOf = (member: MemberId): LogIndex =>
    member === core.id ? log.stableIndex : (followers.get(member)?.matchIndex ?? 0);
  const index = committedIndex(core.configuration, matchOf);
  if (index < noopIndex || !log.commitTo(index)) return;
  uncommitted.release(uncommitted.count - (log.lastIndex - log.committed));
  const { index: newest } = log.configurations.newest;
  if (before < newest && newest <= log.committed) configurationCommitted(core, leadership);
}
