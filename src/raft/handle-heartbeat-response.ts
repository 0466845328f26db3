import type { CoreState } from './core-state.ts';
import { acknowledgeRound } from './read-index.ts';
import type { HeartbeatResponse } from './types.ts';

/** The follower is there: it counts for the quorum, and sending to it may go on. */
export function handleHeartbeatResponse(core: CoreState, message: HeartbeatResponse): void {
  const follower = core.followers.get(message.from);
  if (core.role !== 'leader' || follower === undefined) return;
  follower.recentlyActive = true;
  // Whatever made sending pause, an answer to it may have been lost.
  follower.isPaused = false;
  if (follower.state === 'probe' || follower.matchIndex < core.log.lastIndex) {
    // Everything may have been sent and lost, or only its acknowledgement: nothing but an answer can tell.
    follower.isAnswerDue = true;
    core.isReplicationDue = true;
  }
  if (message.readRound > 0) acknowledgeRound(core, message.from, message.readRound);
}
