import type { CoreState } from './core-state.ts';
import { maybeCommit } from './replicate.ts';
import { maybeSendTimeoutNow } from './transfer.ts';
import type { AppendEntriesResponse } from './types.ts';

/** The leader's side of AppendEntries (Raft paper 5.3; figure 2, leaders). */
export function handleAppendEntriesResponse(core: CoreState, message: AppendEntriesResponse): void {
  const { leadership, log } = core;
  const follower = leadership?.followers.get(message.from);
  if (leadership === undefined || follower === undefined) return;
  follower.answeredTick = leadership.ticks;
  const { result } = message;
  if (!result.accepted) {
    const { rejectedIndex, hintIndex, hintTerm, needsSnapshot } = result;
    if (needsSnapshot) {
      follower.rejectedAll(rejectedIndex);
      return;
    }
    // Without a term the hint lies before the follower's log, and is all that is known.
    const agreeIndex = hintTerm > 0 ? log.findConflict(hintIndex, hintTerm).index : hintIndex;
    follower.rejected(rejectedIndex, agreeIndex);
    return;
  }
  // Nobody can share with this log what it does not hold.
  if (result.matchIndex > log.lastIndex) return;
  if (follower.accepted(result.matchIndex, log.firstIndex)) maybeCommit(core, leadership);
  // A commit may have ended this leadership.
  if (core.leadership === leadership) maybeSendTimeoutNow(core, leadership, follower);
}
