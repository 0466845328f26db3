import type { CoreState } from './core-state.ts';
import { maybeCommit } from './replicate.ts';
import { maybeCompleteTransfer } from './transfer.ts';
import type { AppendEntriesResponse } from './types.ts';

/** The leader's side of AppendEntries (Raft paper 5.3; figure 2, leaders). */
export function handleAppendEntriesResponse(core: CoreState, message: AppendEntriesResponse): void {
  const follower = core.followers.get(message.from);
  if (core.role !== 'leader' || follower === undefined) return;
  follower.recentlyActive = true;
  const { result } = message;
  core.isReplicationDue = true;
  if (!result.accepted) {
    const agree = core.log.findConflict(result.hintIndex, result.hintTerm);
    follower.maybeDecrease(result.rejectedIndex, agree.index);
    return;
  }
  // Nobody can have what this log does not hold.
  if (result.matchIndex > core.log.lastIndex) return;
  const isNews = follower.maybeUpdate(result.matchIndex);
  if (follower.state === 'probe' && (isNews || follower.matchIndex === result.matchIndex)) follower.becomeReplicate();
  if (follower.state === 'replicate') {
    follower.inflights.freeTo(result.matchIndex);
    follower.isPaused = follower.inflights.isFull;
  }
  if (isNews) maybeCommit(core);
  maybeCompleteTransfer(core, follower);
}
