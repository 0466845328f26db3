import { preCampaign } from './campaign.ts';
import type { CoreState } from './core-state.ts';
import { broadcastHeartbeat, renewLease } from './read-index.ts';
import { hasActiveQuorum } from './replicate.ts';

/** One tick of the injected clock. */
export function tick(core: CoreState): void {
  if (core.role === 'leader') tickLeader(core);
  else tickElection(core);
}

function tickElection(core: CoreState): void {
  core.electionElapsedTicks++;
  // Whoever may not campaign counts on: a learner that began anew would hold back its vote for a leader long silent.
  if (core.electionElapsedTicks >= core.electionTimeoutTicks && core.isPromotable) preCampaign(core);
}

function tickLeader(core: CoreState): void {
  const { electionTicks, heartbeatTicks } = core.options;
  core.leadingTicks++;
  core.heartbeatElapsedTicks++;
  core.electionElapsedTicks++;
  if (core.electionElapsedTicks >= electionTicks && !keepsQuorum(core)) return;
  if (core.transfer !== undefined && ++core.transfer.elapsedTicks >= electionTicks) core.transfer = undefined;
  if (core.heartbeatElapsedTicks < heartbeatTicks) return;
  renewLease(core);
  broadcastHeartbeat(core);
}

/**
 * CheckQuorum (thesis 6.2): a leader that a quorum did not answer within an election timeout gives up, so that clients
 * are not kept waiting by a leader that cannot commit.
 */
function keepsQuorum(core: CoreState): boolean {
  core.electionElapsedTicks = 0;
  if (!hasActiveQuorum(core)) {
    core.becomeFollower(core.term, undefined);
    return false;
  }
  for (const follower of core.followers.values()) follower.recentlyActive = false;
  return true;
}
